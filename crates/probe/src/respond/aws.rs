//! A request signed with AWS Signature Version 4.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use crate::wish::{Ask, Aws, Wish, authority};
use aws_lc_rs::digest::{SHA256, digest};
use why401_auth::parse_credentials;
use why401_auth::scheme::sigv4;

/// The fields that sign the request; `Authorization` is the last of them.
pub(super) fn fields(
    keys: &Aws,
    wish: &Wish,
    ask: &Ask,
    now: jiff::Timestamp,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date: String = moment.chars().take(8).collect();
    let body: &[u8] = if ask.with_body { wish.body.expose() } else { b"" };
    let payload: String = digest(&SHA256, body).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let mut out = vec![("X-Amz-Date".to_owned(), moment.clone().into_bytes())];
    if keys.service == "s3" {
        out.push(("X-Amz-Content-Sha256".to_owned(), payload.clone().into_bytes()));
    }
    if let Some(token) = &keys.token {
        out.push(("X-Amz-Security-Token".to_owned(), token.expose().to_vec()));
    }
    let host = authority(&ask.address);
    let mut signed: Vec<(Vec<u8>, Vec<u8>)> =
        out.iter().map(|(n, v)| (n.to_ascii_lowercase().into_bytes(), v.clone())).collect();
    signed.push((b"host".to_vec(), host.into_bytes()));
    signed.sort();
    let names: Vec<String> = signed.iter().map(|(n, _)| String::from_utf8_lossy(n).into_owned()).collect();
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential={}/{date}/{}/{}/aws4_request, SignedHeaders={}, Signature=",
        keys.id,
        keys.region,
        keys.service,
        names.join(";")
    );
    let draft = format!("{credential}{}", "0".repeat(64));
    let parsed = parse_credentials(draft.as_bytes());
    let signature = parsed.value.first().map(sigv4::of_credentials).ok_or("the keys make no credential")?;
    let fields: Vec<(&[u8], &[u8])> = signed.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    let request = sigv4::Request {
        method: ask.method.as_bytes(),
        target: ask.address.target.as_bytes(),
        fields: &fields,
        payload_hash: Some(&payload),
        normalize: keys.service != "s3",
        token_added_later: false,
    };
    let canonical = sigv4::canonical_request(&signature, &request);
    let to_sign = sigv4::string_to_sign(&signature, &moment, &canonical);
    let made = sigv4::sign(&signature, &keys.secret, &to_sign).ok_or("the keys make no signature")?;
    out.push(("Authorization".to_owned(), [credential.as_bytes(), made.expose()].concat()));
    Ok(out)
}
