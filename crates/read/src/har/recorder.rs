//! Who wrote a HAR and what it leaves out.

use super::entry::Entry;
use why401_http::Shows;

/// A program that writes HARs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Recorder {
    /// Chrome's developer tools and those of its kin. Since version 130 the export leaves `Authorization`, `Cookie`
    /// and `Set-Cookie` out unless asked for them (DevTools commit acd96a60, bug 361717594).
    Chromium,
    /// Safari's Web Inspector (`HARBuilder.js`): the fields are complete only where the network layer reported them.
    WebKit,
    /// Firefox (`har-builder.js`): everything, credentials included; `connection` is the server's port.
    Firefox,
    /// Playwright (`harTracer.ts`): what the page set; credentials that the browser added are missing, and both
    /// halves of a challenge are one entry.
    Playwright,
    /// Insomnia: the fields that were set, `Authorization` among them, not those that its HTTP library added.
    Insomnia,
    /// A proxy that saw the bytes on the wire: Charles, Fiddler, mitmproxy, HTTP Toolkit, Proxyman, BrowserMob, Burp.
    Proxy,
    /// Another one, or one that does not say its name.
    #[default]
    Unknown,
}

impl Recorder {
    /// By the name of a HAR's `creator` or `browser`.
    pub(crate) fn of(creator: &str) -> Recorder {
        let name = creator.to_ascii_lowercase();
        let is = |names: &[&str]| names.iter().any(|n| name.contains(n));
        match () {
            () if name == "webinspector" => Recorder::Chromium,
            () if name == "webkit web inspector" => Recorder::WebKit,
            () if is(&["firefox", "waterfox", "librewolf"]) => Recorder::Firefox,
            () if is(&["playwright"]) => Recorder::Playwright,
            () if is(&["insomnia"]) => Recorder::Insomnia,
            () if is(&["charles", "fiddler", "mitmproxy", "http toolkit", "httptoolkit", "proxyman"])
                || is(&["browsermob", "burp", "zap", "http analyzer", "httpwatch", "reqable", "whistle"]) =>
            {
                Recorder::Proxy
            }
            () => Recorder::Unknown,
        }
    }

    /// Whether its `connection` tells connections apart.
    pub(crate) fn numbers_connections(self) -> bool {
        matches!(self, Recorder::Chromium | Recorder::WebKit | Recorder::Proxy)
    }
}

/// What has been seen in a HAR so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// Who wrote it.
    pub(crate) recorder: Recorder,
    /// A request with `Authorization`.
    pub(crate) authorization: bool,
    /// A cookie, sent or set.
    pub(crate) cookie: bool,
    /// Chrome's major version, by the `User-Agent` of the requests.
    chrome: Option<u32>,
}

impl Seen {
    /// Takes note of an entry.
    pub(crate) fn note(&mut self, entry: &Entry) {
        if let Some(request) = &entry.request {
            self.authorization |= request.fields.has("authorization");
            self.cookie |= request.fields.has("cookie") || !request.cookies.is_empty();
            if self.chrome.is_none() {
                self.chrome = request.fields.text("user-agent").and_then(|ua| chrome_version(&ua));
            }
        }
        if let Some(response) = &entry.response {
            self.cookie |= response.fields.has("set-cookie") || !response.cookies.is_empty();
        }
    }

    /// Whether nothing later could change what [`Seen::shows`] says.
    pub(crate) fn is_settled(&self) -> bool {
        self.authorization && self.cookie && self.recorder != Recorder::Unknown
    }

    /// What the HAR shows of a request.
    ///
    /// A browser's list of fields is the one it sent only where it has `Host` or `:authority` (`has_host`); before
    /// the network layer reports, developer tools show provisional fields.
    pub(crate) fn shows(&self, has_host: bool) -> Shows {
        let (authorization, cookies, request_fields) = match self.recorder {
            Recorder::Chromium => {
                let unsanitized = self.authorization || self.cookie || self.chrome.is_some_and(|v| v < 130);
                (unsanitized && has_host, unsanitized && has_host, has_host)
            }
            Recorder::WebKit => (self.authorization && has_host, self.cookie && has_host, has_host),
            Recorder::Firefox => (true, true, true),
            Recorder::Playwright => (false, true, has_host),
            Recorder::Insomnia => (true, true, false),
            Recorder::Proxy => (true, true, true),
            Recorder::Unknown => (self.authorization, self.cookie, has_host),
        };
        Shows {
            authorization,
            cookies,
            request_fields,
            response_fields: true,
            body: true,
            every_request: false,
        }
    }
}

fn chrome_version(agent: &str) -> Option<u32> {
    let (_, rest) = agent.split_once("Chrome/")?;
    rest.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorders_are_known_by_name() {
        for (name, recorder) in [
            ("WebInspector", Recorder::Chromium),
            ("WebKit Web Inspector", Recorder::WebKit),
            ("Firefox", Recorder::Firefox),
            ("Playwright", Recorder::Playwright),
            ("Insomnia REST Client", Recorder::Insomnia),
            ("Charles Proxy", Recorder::Proxy),
            ("mitmproxy", Recorder::Proxy),
            ("BrowserMob Proxy", Recorder::Proxy),
            ("something", Recorder::Unknown),
        ] {
            assert_eq!(Recorder::of(name), recorder, "{name}");
        }
    }

    #[test]
    fn chromes_version_is_in_its_user_agent() {
        assert_eq!(chrome_version("Mozilla/5.0 (X11) Chrome/128.0.0.0 Safari/537.36"), Some(128));
        assert_eq!(chrome_version("curl/8"), None);
    }
}
