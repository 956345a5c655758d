//! nginx's `log_format` (<https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format>).

use super::line::Escape;
use super::part::{Column, Part};
use super::plan::{Draft, Plan};

/// Makes a plan of a format string with `$variables`; `None` if it names no status.
pub(crate) fn compile(format: &str, escape: Escape) -> Option<Plan> {
    let mut draft = Draft::default();
    let mut pieces = format.split('$');
    draft.text(pieces.next()?.as_bytes());
    let mut seen_status = false;
    for piece in pieces {
        let (name, text) = match piece.strip_prefix('{') {
            Some(inside) => inside.split_once('}')?,
            None => {
                let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(piece.len());
                piece.split_at_checked(end)?
            }
        };
        seen_status |= name == "status";
        // `$uri$is_args$args`: the question mark is the query's.
        if name != "is_args" {
            draft.column(column(name));
        }
        draft.text(text.as_bytes());
    }
    seen_status.then(|| draft.plan(escape, Some("nginx")))
}

/// The column of a variable (<https://nginx.org/en/docs/varindex.html>).
pub(crate) fn column(name: &str) -> Column {
    Column::Part(match name {
        "time_local" | "time_iso8601" | "msec" => Part::Time,
        "remote_addr" => Part::Client,
        "remote_port" => Part::ClientPort,
        "remote_user" => Part::User,
        "request" => Part::Request,
        "request_method" => Part::Method,
        "request_uri" => Part::Target,
        "uri" | "document_uri" => Part::Path,
        "args" | "query_string" => Part::Query,
        "server_protocol" => Part::Version,
        "status" => Part::Status,
        "bytes_sent" | "body_bytes_sent" => Part::Bytes,
        "host" | "server_name" | "http_host" => Part::Host,
        "server_addr" => Part::Server,
        "server_port" => Part::ServerPort,
        "scheme" => Part::Scheme,
        "http_referer" => Part::Referer,
        "http_user_agent" => Part::Agent,
        "connection" => Part::Connection,
        "upstream_addr" => Part::Upstream,
        _ => {
            let field = |name: &str| name.replace('_', "-");
            return match (name.strip_prefix("http_"), name.strip_prefix("sent_http_")) {
                (Some(name), _) => Column::request_field(&field(name)),
                (_, Some(name)) => Column::ResponseField(field(name).into()),
                _ => Column::Other,
            };
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_with_everything() {
        let format = r#"$remote_addr:$remote_port - $remote_user [$time_local] $scheme://$host "$request" $status ${body_bytes_sent}b "$http_x_api_key" rt=$request_time"#;
        let plan = compile(format, Escape::Backslash).unwrap();
        let line = plan
            .parse(br#"192.0.2.1:5000 - alice smith [22/Nov/2026:17:14:41 +0000] https://example.com "GET / HTTP/2.0" 401 179b "k\x22" rt=0.000"#)
            .unwrap();
        assert_eq!(line.get(Part::User), Some(&b"alice smith"[..]));
        assert_eq!(line.get(Part::Host), Some(&b"example.com"[..]));
        assert_eq!(line.get(Part::Bytes), Some(&b"179"[..]));
        assert_eq!(line.fields[0].value, br"k\x22");
        assert_eq!(line.status(), Some(401));
    }

    #[test]
    fn a_format_without_a_status_is_refused() {
        assert_eq!(compile("$remote_addr", Escape::None), None);
        assert_eq!(compile("${status", Escape::None), None);
    }
}
