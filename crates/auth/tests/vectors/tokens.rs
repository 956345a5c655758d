//! JWT and DPoP examples of RFC 7515, 7519 and 9449.

use crate::shared;
use why401_auth::base64::{self, Alphabet};
use why401_auth::token::dpop::{self, Mismatch};
use why401_auth::token::{self, Shape, jwt};

#[test]
fn tokens_of_the_specifications() {
    let Some(file) = shared::folder("peers/tokens/jwt_dpop.jsonl") else { return };
    let cases = shared::json_lines(&file);
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        let (header, claims) = (case["header"].as_object().unwrap(), case["claims"].as_object().unwrap());
        if text("suite") == "jwt" {
            let value = text("token").as_bytes();
            let read = token::read(value, 0..value.len());
            assert_eq!((read.shape, read.problems.len()), (Shape::Jwt, 0));
            let jwt = jwt::read(value, 0..value.len());
            assert_eq!((jwt.header.as_ref(), jwt.claims.as_ref()), (Some(header), Some(claims)));
            let key =
                base64::decode(text("key_b64url").as_bytes(), 0..text("key_b64url").len(), Alphabet::UrlSafe);
            assert_eq!(jwt.verify_hmac(key.bytes.expose()), Some(true));
            assert_eq!(jwt.verify_hmac(b"another"), Some(false));
        } else {
            let proof = dpop::read(text("proof").as_bytes()).unwrap();
            assert_eq!(proof.problems, []);
            assert_eq!((proof.jwt.header.as_ref(), proof.jwt.claims.as_ref()), (Some(header), Some(claims)));
            assert_eq!(proof.jkt.as_deref(), Some(text("jkt")));
            let access = Some(text("access_token").as_bytes()).filter(|t| !t.is_empty());
            assert_eq!(proof.mismatches(text("method"), Some(text("url")), access), []);
            let other =
                proof.mismatches("PUT", Some("https://elsewhere.example/"), access.map(|_| &b"another"[..]));
            assert!(other.contains(&Mismatch::Method) && other.contains(&Mismatch::Address));
            assert_eq!(other.contains(&Mismatch::TokenHash), access.is_some());
        }
    }
    assert_eq!(cases.len(), 4);
}
