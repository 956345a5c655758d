//! Tokens that tell whose they are: services mark their secrets by a prefix or a shape, so that leaks can be found.
//! Here the mark tells a test key on a live host, one product's key at another's, a public key in place of a secret.

mod table;

pub use table::TABLE;

/// What a token's own marks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorToken {
    /// Whose token it is.
    pub product: &'static str,
    /// What kind of secret it is.
    pub kind: &'static str,
    /// The environment, where the mark says it.
    pub environment: Option<Environment>,
    /// The mark itself, which is no secret. Empty where only the shape tells.
    pub prefix: &'static str,
    /// Where the mark is documented, or is known from.
    pub source: &'static str,
}

/// The environment that a token's mark names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// For trying out: test, sandbox, development.
    Test,
    /// For the real thing: live, production.
    Live,
}

impl Environment {
    /// `test` or `live`.
    pub fn name(self) -> &'static str {
        match self {
            Environment::Test => "test",
            Environment::Live => "live",
        }
    }
}

/// A row of [`TABLE`].
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What the token says of itself.
    pub token: VendorToken,
    /// How many characters follow the prefix at least.
    pub at_least: usize,
    /// Which characters may follow it.
    pub of: Class,
}

/// Characters after a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Hexadecimal digits.
    Hex,
    /// Letters and digits.
    Alphanumeric,
    /// Capital letters and digits.
    Upper,
    /// Letters, digits and `-_.~+/=|:`.
    Word,
}

impl Class {
    fn takes(self, b: u8) -> bool {
        match self {
            Class::Hex => b.is_ascii_hexdigit(),
            Class::Alphanumeric => b.is_ascii_alphanumeric(),
            Class::Upper => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Class::Word => b.is_ascii_alphanumeric() || b"-_.~+/=|:".contains(&b),
        }
    }
}

/// What the marks of `token` say; `None` where it bears none that is known.
pub fn identify(token: &[u8]) -> Option<VendorToken> {
    let by_prefix = TABLE.iter().filter(|row| matches(row, token)).max_by_key(|row| row.token.prefix.len());
    by_prefix.map(|row| row.token).or_else(|| by_shape(token))
}

fn matches(row: &Row, token: &[u8]) -> bool {
    let Some(tail) = token.strip_prefix(row.token.prefix.as_bytes()) else { return false };
    tail.len() >= row.at_least && tail.iter().all(|b| row.of.takes(*b))
}

/// Tokens without a prefix whose shape is rare enough to say something.
fn by_shape(token: &[u8]) -> Option<VendorToken> {
    let shape =
        |product, kind, source| Some(VendorToken { product, kind, environment: None, prefix: "", source });
    if token.len() == 84 && token.get(76..80) == Some(b"AZDO") {
        let source = "https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate";
        return shape("Azure DevOps", "personal access token", source);
    }
    if token.len() == 52 && token.iter().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(b)) {
        let source = "https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate";
        return shape("Azure DevOps", "personal access token", source);
    }
    if is_discord_bot(token) {
        return shape("Discord", "bot token", "https://discord.com/developers/docs/reference#authentication");
    }
    let marked = token.get(3).is_some_and(u8::is_ascii_digit) && token.get(4..6) == Some(b"Q~");
    if marked && (34..=45).contains(&token.len()) {
        return shape("Microsoft Entra ID", "client secret", "gitleaks rule azure-ad-client-secret");
    }
    if token.windows(9).any(|w| w == b".atlasv1.") {
        return shape("HCP Terraform", "API token", "gitleaks rule hashicorp-tf-api-token");
    }
    None
}

/// Three parts in base64url: the bot's id (all digits when decoded), a time stamp, a signature.
fn is_discord_bot(token: &[u8]) -> bool {
    let parts: Vec<&[u8]> = token.split(|b| *b == b'.').collect();
    let [id, stamp, signature] = parts.as_slice() else { return false };
    let url = |part: &[u8]| part.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !(23..=28).contains(&id.len()) || stamp.len() != 6 || !(27..=40).contains(&signature.len()) {
        return false;
    }
    let decoded = crate::base64::decode(id, 0..id.len(), crate::base64::Alphabet::UrlSafe);
    url(stamp) && url(signature) && url(id) && decoded.bytes.expose().iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
#[allow(clippy::string_slice, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    #[test]
    fn prefixes_tell_product_kind_and_environment() {
        let read = |t: &str| identify(t.as_bytes()).map(|v| (v.product, v.environment));
        let tail = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(read(&format!("ghp_{}", &tail[..36])), Some(("GitHub", None)));
        assert_eq!(read(&format!("sk_test_{tail}")), Some(("Stripe", Some(Environment::Test))));
        assert_eq!(read(&format!("rk_live_{tail}")), Some(("Stripe", Some(Environment::Live))));
        assert_eq!(read(&format!("sk-ant-api03-{tail}")), Some(("Anthropic", None)));
        assert_eq!(read(&format!("sk-proj-{tail}")), Some(("OpenAI", None)));
        assert_eq!(read("AKIDEXAMPLE"), None);
        assert_eq!(read("AKIAIOSFODNN7EXAMPLE"), Some(("AWS", None)));
        assert_eq!(read("hunter2"), None);
        assert_eq!(read("ghp_"), None);
        assert_eq!(
            read(&"abcdefghijklmnopqrstuvwxyz234567"[..].repeat(2)[..52]),
            Some(("Azure DevOps", None))
        );
    }

    #[test]
    fn a_row_is_no_prefix_of_another_row_of_the_same_mark() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(!row.token.prefix.is_empty() && !row.token.source.is_empty());
            let again = TABLE.iter().skip(i + 1).find(|r| r.token.prefix == row.token.prefix);
            assert!(again.is_none(), "{} twice", row.token.prefix);
        }
    }
}
