//! One exchange, as a line of each log.

use crate::http::Head;
use std::net::IpAddr;

/// What is told of an exchange.
#[derive(Default)]
pub(crate) struct Entry<'a> {
    pub(crate) time: jiff::Timestamp,
    pub(crate) client: Option<IpAddr>,
    /// `None` where not even a head could be read.
    pub(crate) head: Option<&'a Head>,
    pub(crate) is_tls: bool,
    pub(crate) status: u16,
    pub(crate) sent: u64,
    /// Who was let in; who somebody claims to be is read from the credentials.
    pub(crate) user: Option<&'a str>,
    pub(crate) cause: Option<&'a str>,
    pub(crate) says: Option<&'a str>,
    pub(crate) reference: Option<&'a str>,
    pub(crate) realm: Option<&'a str>,
    pub(crate) rule: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    pub(crate) receipt: Option<&'a str>,
    /// How long it took, in milliseconds.
    pub(crate) took: u64,
}

/// What several logs say of an exchange: the client, who was let in or claimed, the target without its secrets.
#[derive(Debug)]
pub(crate) struct Common {
    client: String,
    user: Option<String>,
    target: String,
}

/// A second as it stands in the combined format; most lines are of the same one as the line before.
#[derive(Debug, Default)]
pub(crate) struct Date {
    second: i64,
    text: String,
}

impl Date {
    fn of(&mut self, time: jiff::Timestamp) -> &str {
        if self.text.is_empty() || self.second != time.as_second() {
            self.second = time.as_second();
            self.text = time.strftime(" [%d/%b/%Y:%H:%M:%S +0000] \"").to_string();
        }
        &self.text
    }
}

impl Entry<'_> {
    fn field(&self, name: &str) -> Option<String> {
        self.head?.field(name).map(|v| String::from_utf8_lossy(v).into_owned())
    }

    /// The user that was let in, or that the credentials claim.
    fn user(&self) -> Option<String> {
        if let Some(user) = self.user {
            return Some(user.to_owned());
        }
        let head = self.head?;
        let value = head.field("authorization").or_else(|| head.field("proxy-authorization"))?;
        why401_auth::inside::user(value)
    }

    /// What several logs say.
    pub(crate) fn common(&self) -> Common {
        Common {
            client: self.client.map_or_else(|| "-".to_owned(), |c| c.to_canonical().to_string()),
            user: self.user(),
            target: self
                .head
                .map_or_else(|| "-".to_owned(), |h| why401_redact::target_without_secrets(h.target())),
        }
    }

    /// Apache's combined format. The user is the one that was claimed, as in Apache and nginx.
    pub(crate) fn combined(&self, common: &Common, date: &mut Date, out: &mut Vec<u8>) {
        out.extend_from_slice(common.client.as_bytes());
        out.extend_from_slice(b" - ");
        match common.user.as_deref() {
            None => out.push(b'-'),
            Some("") => out.extend_from_slice(b"\"\""),
            Some(user) => escape(user.as_bytes(), out),
        }
        out.extend_from_slice(date.of(self.time).as_bytes());
        match self.head {
            Some(head) => {
                out.extend_from_slice(head.method().as_bytes());
                out.push(b' ');
                escape(common.target.as_bytes(), out);
                out.push(b' ');
                out.extend_from_slice(head.version.name().as_bytes());
            }
            None => out.push(b'-'),
        }
        out.extend_from_slice(format!("\" {} {} \"", self.status, self.sent).as_bytes());
        for (i, name) in ["referer", "user-agent"].into_iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(b"\" \"");
            }
            match self.head.and_then(|h| h.field(name)) {
                Some(value) => escape(value, out),
                None => out.push(b'-'),
            }
        }
        out.extend_from_slice(b"\"\n");
    }

    /// One JSON object. `cause` is the name of a cause of the catalogue.
    pub(crate) fn json(&self, common: &Common, out: &mut Vec<u8>) {
        let mut line = Line { out, first: true };
        line.text("time", &self.time.to_string());
        // The two belong together: so the readers of why401 know whose word the cause is.
        line.text("logger", "why401");
        line.option("cause", self.cause);
        line.option("reason", self.says);
        line.option("reference", self.reference);
        line.option("realm", self.realm);
        line.option("rule", self.rule);
        line.option("account", self.account);
        line.option("receipt", self.receipt);
        line.text("remote_addr", &common.client);
        line.text("remote_user", common.user.as_deref().unwrap_or("-"));
        line.text("request_method", self.head.map_or("-", Head::method));
        line.text("request_uri", &common.target);
        line.text("server_protocol", self.head.map_or("-", |h| h.version.name()));
        line.text("scheme", if self.is_tls { "https" } else { "http" });
        line.option("host", self.field("host").as_deref());
        line.number("status", u64::from(self.status));
        line.number("body_bytes_sent", self.sent);
        line.option("http_referer", self.field("referer").as_deref());
        line.option("http_user_agent", self.field("user-agent").as_deref());
        line.number("took_ms", self.took);
        line.out.extend_from_slice(b"}\n");
    }
}

struct Line<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Line<'_> {
    fn key(&mut self, name: &str) {
        self.out.extend_from_slice(if self.first { b"{\"" } else { b",\"" });
        self.first = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        // Most values need no escape.
        if value.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\') {
            self.out.push(b'"');
            self.out.extend_from_slice(value.as_bytes());
            return self.out.push(b'"');
        }
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut *self.out, value);
    }

    fn option(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        let _ = serde_json::to_writer(&mut *self.out, &value);
    }
}

/// As Apache escapes what would break a line.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for b in text {
        match b {
            b'"' | b'\\' => out.extend([b'\\', *b]),
            0x20..=0x7e => out.push(*b),
            _ => out.extend_from_slice(format!("\\x{b:02x}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_who_was_claimed_and_no_secret() {
        let text = "GET /a?token=geheim&x=1 HTTP/1.1\r\nHost: example.com\r\nAuthorization: Basic YWxpY2U6Z2VoZWlt\r\nUser-Agent: a\"b\u{e4}\r\n\r\n";
        let head = Head::request(text.as_bytes().to_vec()).unwrap();
        let entry = Entry {
            time: jiff::Timestamp::from_second(1_351_094_700).unwrap(),
            client: Some("192.0.2.7".parse().unwrap()),
            head: Some(&head),
            status: 401,
            sent: 120,
            cause: Some("wrong-password"),
            says: Some("the password of alice is another one"),
            reference: Some("0123456789AB"),
            ..Entry::default()
        };
        let (mut combined, mut json) = (Vec::new(), Vec::new());
        let common = entry.common();
        entry.combined(&common, &mut Date::default(), &mut combined);
        entry.json(&common, &mut json);
        let combined = String::from_utf8(combined).unwrap();
        assert!(combined.starts_with("192.0.2.7 - alice [24/Oct/2012:16:05:00 +0000] \"GET /a?token=***&x=1 HTTP/1.1\" 401 120 \"-\" \"a\\\"b"), "{combined}");
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(
            (&read["cause"], &read["remote_user"], &read["status"]),
            (&"wrong-password".into(), &"alice".into(), &401.into())
        );
        assert!(!combined.contains("geheim") && !String::from_utf8(json).unwrap().contains("geheim"));
    }
}
