//! AWS's test suite for Signature Version 4: canonical request, string to sign and signature of each case.

use crate::shared;
use serde_json::Value;
use std::path::Path;
use why401_auth::scheme::sigv4::{self, Request};
use why401_auth::{Secret, parse_credentials};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Method, target and fields. A folded line goes on with a space (RFC 9112 section 5.2).
fn message(path: &Path) -> (Vec<u8>, Vec<u8>, Fields, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
    let mut lines = head.lines();
    let start = lines.next().unwrap();
    let (method, rest) = start.split_once(' ').unwrap();
    let target = rest.rsplit_once(' ').unwrap().0;
    let mut fields: Fields = Vec::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if !line.starts_with(' ') => fields.push((name.into(), value.trim().into())),
            _ => {
                let value = &mut fields.last_mut().unwrap().1;
                value.extend_from_slice(b" ");
                value.extend_from_slice(line.trim().as_bytes());
            }
        }
    }
    (method.into(), target.into(), fields, body.into())
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap().replace("\r\n", "\n")
}

#[test]
fn the_suite_of_aws() {
    let Some(root) = shared::folder("peers/tokens/sigv4") else { return };
    let mut cases = 0;
    for dir in std::fs::read_dir(root).unwrap().map(|d| d.unwrap().path()) {
        let context: Value = serde_json::from_str(&read(&dir, "context.json")).unwrap();
        let key = Secret::new(context["credentials"]["secret_access_key"].as_str().unwrap());
        let token_added_later = context["omit_session_token"] == true;
        let normalize = context["normalize"].as_bool().unwrap();
        for form in ["header", "query"] {
            let (method, target, fields, _) = message(&dir.join(format!("{form}-signed-request.txt")));
            let pairs: Vec<(&[u8], &[u8])> =
                fields.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
            let field = |name: &str| {
                pairs.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| *v)
            };
            let signature = if form == "header" {
                let value = field("authorization").unwrap();
                let read = parse_credentials(value);
                assert_eq!(read.value.len(), 1);
                sigv4::of_credentials(&read.value[0])
            } else {
                sigv4::of_target(&target).unwrap()
            };
            let id = format!("{} {form}", dir.file_name().unwrap().to_str().unwrap());
            assert_eq!(signature.problems, [], "{id}");
            let canonical = read(&dir, &format!("{form}-canonical-request.txt"));
            let payload = canonical.lines().last().unwrap();
            let request = Request {
                method: &method,
                target: &target,
                fields: &pairs,
                payload_hash: Some(payload),
                normalize,
                token_added_later,
            };
            assert_eq!(sigv4::canonical_request(&signature, &request), canonical, "{id}");
            let moment = match &signature.date {
                Some(date) => date.clone(),
                None => String::from_utf8_lossy(field("x-amz-date").unwrap()).into_owned(),
            };
            assert_eq!(sigv4::time(&moment), Some(1_440_938_160));
            let to_sign = sigv4::string_to_sign(&signature, &moment, &canonical);
            assert_eq!(to_sign, read(&dir, &format!("{form}-string-to-sign.txt")), "{id}");
            let signed = sigv4::sign(&signature, &key, &to_sign).unwrap();
            assert_eq!(signed.expose_text(), read(&dir, &format!("{form}-signature.txt")), "{id}");
            assert_eq!(Some(signed), signature.signature, "{id}");
            cases += 1;
        }
    }
    println!("{cases} requests of AWS's suite signed alike");
    assert_eq!(cases, 76);
}
