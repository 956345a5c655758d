//! The members of a token's header and claims, as far as they are shown: a claim of an unknown name may be anything.

use crate::secret::mask;
use serde_json::{Map, Value};

/// Names that hold no secret, sorted: RFC 7515 section 4.1, RFC 7519 section 4.1, RFC 7800, RFC 8693, RFC 9068,
/// RFC 9449, OpenID Connect Core section 5.1, and what Microsoft Entra ID, Amazon Cognito, Keycloak, Auth0, GitLab,
/// GitHub and Kubernetes write (each one's documentation of its claims).
const HARMLESS: &[&str] = &[
    "acr",
    "act",
    "aio",
    "alg",
    "allowed-origins",
    "amr",
    "apiversion",
    "app_displayname",
    "appid",
    "appidacr",
    "at_hash",
    "ath",
    "aud",
    "auth_time",
    "authorities",
    "azp",
    "azpacr",
    "b64",
    "c_hash",
    "cid",
    "client_id",
    "clientid",
    "cnf",
    "cognito:groups",
    "cognito:username",
    "crit",
    "crv",
    "cty",
    "e",
    "email",
    "email_verified",
    "enc",
    "entitlements",
    "environment",
    "exp",
    "family_name",
    "given_name",
    "groups",
    "gty",
    "htm",
    "htu",
    "iat",
    "idp",
    "idtyp",
    "iss",
    "job_workflow_ref",
    "jti",
    "jku",
    "jwk",
    "kid",
    "kty",
    "kubernetes.io",
    "locale",
    "may_act",
    "n",
    "name",
    "namespace_path",
    "nbf",
    "nickname",
    "nonce",
    "oid",
    "origin_jti",
    "permissions",
    "preferred_username",
    "project_path",
    "realm_access",
    "ref",
    "repository",
    "resource_access",
    "role",
    "roles",
    "s_hash",
    "scope",
    "scopes",
    "scp",
    "sub",
    "subject_type",
    "tenant",
    "tid",
    "token_use",
    "typ",
    "unique_name",
    "updated_at",
    "upn",
    "use",
    "user_id",
    "user_name",
    "username",
    "ver",
    "version",
    "wids",
    "x",
    "x5c",
    "x5t",
    "x5t#S256",
    "x5u",
    "y",
    "zip",
    "zoneinfo",
];

/// The members with the strings of unknown names masked at their length, unless all is to be shown.
pub(super) fn shown(members: Option<&Map<String, Value>>, show: bool) -> Value {
    let Some(members) = members else { return Value::Null };
    let each = members.iter().map(|(name, value)| {
        let open = show || is_harmless(name);
        (name.clone(), if open { value.clone() } else { masked(value, 0) })
    });
    Value::Object(each.collect())
}

/// Whether the value of a token's member of this name may be shown. Names that are addresses
/// (`https://example.com/roles`) count by their last part.
pub fn is_harmless(name: &str) -> bool {
    let last = if name.contains("://") { name.rsplit('/').next().unwrap_or(name) } else { name };
    HARMLESS.iter().any(|known| known.eq_ignore_ascii_case(last))
}

fn masked(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) => Value::String(mask(text.as_bytes())),
        Value::Number(number) => Value::String(mask(number.to_string().as_bytes())),
        // Names inside may be told as little as the values.
        Value::Object(_) | Value::Array(_) if depth > 8 => Value::String("****".into()),
        Value::Object(members) => members
            .iter()
            .map(|(n, v)| (n.clone(), if is_harmless(n) { v.clone() } else { masked(v, depth + 1) }))
            .collect(),
        Value::Array(items) => items.iter().map(|v| masked(v, depth + 1)).collect(),
        Value::Bool(_) | Value::Null => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_of_unknown_names_are_masked() {
        let claims = json!({ "iss": "i", "https://h/roles": ["r"], "note": "abc", "x1": { "k": ["abc", 12], "sub": "s" }, "b": true });
        let map = claims.as_object().unwrap();
        let want = json!({ "iss": "i", "https://h/roles": ["r"], "note": "***", "x1": { "k": ["***", "**"], "sub": "s" }, "b": true });
        assert_eq!(shown(Some(map), false), want);
        assert_eq!(shown(Some(map), true), claims);
    }
}
