//! How program text of a server checks what it is sent: what it verifies, with which secret, in which order.

use super::Slip;
use super::tokens::{Kind, Token, arguments};
use why401_report::Party;

/// Whether a text has parts of a server in it.
pub(super) fn concerns(text: &str) -> bool {
    const SIGNS: &[&str] = &[
        "UseAuthorization",
        "UseAuthentication",
        "AddAuthentication",
        "createHmac",
        "hash_hmac",
        "hmac.new",
        "HMACSHA",
        "Mac.getInstance",
        "OpenSSL::HMAC",
        "jwt.verify",
        "jwt.sign",
        "jwt.decode",
        "jwt.encode",
        "SymmetricSecurityKey",
        "express-jwt",
        "expressjwt",
        "JwtStrategy",
        "secretOrKey",
        "signWith",
        "setSigningKey",
        "Jwts.",
        "JWT::encode",
        "JWT::decode",
    ];
    SIGNS.iter().any(|s| memchr::memmem::find(text.as_bytes(), s.as_bytes()).is_some())
}

pub(super) fn slips(tokens: &[Token]) -> Vec<Slip> {
    let mut found = Vec::new();
    found.extend(order(tokens));
    found.extend(rewritten(tokens));
    found.extend(unsplit(tokens));
    found.extend(secrets(tokens));
    found
}

/// ASP.NET Core: authentication must come before authorization in the pipeline, and must be there at all (Microsoft,
/// "ASP.NET Core Middleware", middleware order).
fn order(tokens: &[Token]) -> Option<Slip> {
    let at = |name: &str| tokens.iter().position(|t| t.word() == Some(name));
    let (authorization, authentication) = (at("UseAuthorization"), at("UseAuthentication"));
    let set_up = at("AddAuthentication").or(at("AddJwtBearer")).or(at("AddIdentity"));
    let ends = at("UseEndpoints").or(at("MapControllers")).or(at("UseMvc"));
    let (place, what) = match (authorization, authentication) {
        (Some(a), Some(b)) if a < b => (
            a,
            "the pipeline asks who may come in (UseAuthorization) before it finds out who it is (UseAuthentication)",
        ),
        (_, Some(b)) if ends.is_some_and(|e| e < b) && at("UseMvc").is_some() => {
            (b, "the pipeline finds out who it is (UseAuthentication) behind what needs to know it")
        }
        (Some(a), None) if set_up.is_some() => (
            a,
            "authentication is set up and not used: the pipeline has UseAuthorization and no UseAuthentication",
        ),
        _ => return None,
    };
    let range = tokens.get(place)?.range.clone();
    Some(
        Slip::new(
            "server-misconfigured",
            range,
            what,
            "Call app.UseAuthentication() after UseRouting and before UseAuthorization.",
        )
        .by(Party::Server),
    )
}

/// A signature over content that was parsed and written anew.
fn rewritten(tokens: &[Token]) -> Option<Slip> {
    let hmac = |t: &Token| {
        t.word().is_some_and(|w| {
            matches!(w, "createHmac" | "hash_hmac" | "HMAC" | "HMACSHA256" | "HMACSHA1" | "hmac" | "Mac")
        })
    };
    let start = tokens.iter().position(hmac)?;
    let near = tokens.get(start.saturating_sub(80)..(start + 120).min(tokens.len()))?;
    let place = near.windows(4).find(|w| match w {
        [a, dot, b, open] if dot.is('.') && open.is('(') => {
            matches!(
                (a.word(), b.word()),
                (Some("JSON"), Some("stringify"))
                    | (Some("json"), Some("dumps"))
                    | (Some("JsonConvert"), Some("SerializeObject"))
                    | (Some("JsonSerializer"), Some("Serialize"))
            )
        }
        [a, open, ..] if open.is('(') => matches!(a.word(), Some("json_encode")),
        _ => false,
    })?;
    // What is sent out may be written as one likes: only what came in must stay as it was.
    let verifies = tokens.iter().any(|t| {
        t.text().is_some_and(|x| {
            let x = x.to_ascii_lowercase();
            x.contains("signature") || x.contains("hmac") || x.ends_with("-sign")
        })
    }) && near.iter().any(|t| {
        t.word().is_some_and(|w| {
            matches!(w, "req" | "request" | "body" | "ctx" | "rawBody" | "payload" | "event")
        })
    });
    let range = place.first()?.range.start..place.get(2).map_or(place.first()?.range.end, |t| t.range.end);
    verifies.then(|| {
        let what = "the program verifies the signature over content that it parsed and wrote anew, which need not be the bytes that were signed";
        Slip::new("signature-mismatch", range, what, "Verify the raw content as it was received (express.raw, request.get_data, file_get_contents(\"php://input\")).").by(Party::Server)
    })
}

/// `jwt.verify(req.headers.authorization, …)`: the scheme is taken for a part of the token.
fn unsplit(tokens: &[Token]) -> Option<Slip> {
    tokens.windows(3).enumerate().find_map(|(i, w)| {
        let [object, dot, name] = w else { return None };
        let verifies = object.word().is_some_and(|o| o.eq_ignore_ascii_case("jwt"))
            && dot.is('.')
            && matches!(name.word(), Some("verify" | "decode"));
        if !verifies {
            return None;
        }
        let (all, _) = arguments(tokens, i + 3)?;
        let first = all.first()?;
        let direct = whole_field(first);
        let variable = match first {
            [only] => only.word().and_then(|name| assigned(tokens, name)).is_some_and(whole_field),
            _ => false,
        };
        let cut = |name: &str| {
            tokens
                .windows(3)
                .any(|w| matches!(w, [v, dot, cut] if v.word() == Some(name) && dot.is('.') && cuts(cut)))
        };
        let later_cut = matches!(first, [only] if only.word().is_some_and(cut));
        ((direct || variable) && !later_cut).then(|| {
            let what = "the program takes the whole field for the token, the word Bearer included";
            let range = first.first().map_or(object.range.clone(), |t| {
                t.range.start..first.last().map_or(t.range.end, |l| l.range.end)
            });
            Slip::new("token-malformed", range, what, "Take the part behind the blank: header.split(' ')[1].")
                .by(Party::Server)
        })
    })
}

fn cuts(token: &Token) -> bool {
    matches!(
        token.word(),
        Some(
            "split"
                | "slice"
                | "substring"
                | "substr"
                | "replace"
                | "match"
                | "removeprefix"
                | "replace_first"
                | "partition"
                | "trim"
        )
    )
}

/// Whether an expression is the Authorization field as it is.
fn whole_field(value: &[Token]) -> bool {
    let named = |t: &Token| t.word().or(t.text()).is_some_and(|w| w.eq_ignore_ascii_case("authorization"));
    let from_request = value.iter().any(|t| {
        t.word().is_some_and(|w| matches!(w, "headers" | "header" | "get" | "getHeader" | "META" | "Headers"))
    });
    value.iter().any(named) && from_request && !value.iter().any(cuts)
}

/// What a variable of this name is given.
fn assigned<'t>(tokens: &'t [Token], name: &str) -> Option<&'t [Token]> {
    let at =
        tokens.windows(2).position(|w| matches!(w, [v, sign] if v.word() == Some(name) && sign.is('=')))?;
    let rest = tokens.get(at + 2..)?;
    let end = rest.iter().position(|t| t.kind == Kind::Line || t.is(';')).unwrap_or(rest.len());
    rest.get(..end)
}

/// Tokens are signed with one secret and verified with another.
fn secrets(tokens: &[Token]) -> Option<Slip> {
    let signing = secret_of(tokens, &["sign", "encode", "signAsync"], 1).or_else(|| registered(tokens))?;
    let verifying = secret_of(tokens, &["verify", "decode", "verifyAsync"], 1)
        .or_else(|| named(tokens, &["secretOrKey", "secretOrPrivateKey"]))?;
    let (a, b) = (&signing.0, &verifying.0);
    // Two names may stand for one value; two strings, or two settings, do not. A string and a setting hardly do.
    let differ = match (kind(a), kind(b)) {
        (Some(x), Some(y)) => x != y,
        _ => false,
    };
    differ.then(|| {
        let what = "the program signs tokens with one secret and verifies them with another";
        Slip::new("bad-signature", verifying.1, what, "Use the same secret for both.").by(Party::Server)
    })
}

/// What a secret is given as: a string, or the name of a setting; `None` for a name of the program's own.
fn kind(value: &[Token]) -> Option<(bool, String)> {
    let text: String = value.iter().map(|t| t.word().or(t.text()).unwrap_or(".").to_owned()).collect();
    match value {
        [only] if only.text().is_some() => Some((false, text)),
        _ => (text.contains("env") || text.contains("config")).then(|| {
            let name = value.iter().rev().find_map(|t| t.word().or(t.text())).unwrap_or_default().to_owned();
            (true, name)
        }),
    }
}

/// NestJS: the secret of the module that signs (`JwtModule.register({ secret: … })`).
fn registered(tokens: &[Token]) -> Option<Given> {
    let at = tokens.iter().position(|t| t.word() == Some("JwtModule"))?;
    named(tokens.get(at..)?, &["secret", "privateKey"])
}

type Given = (Vec<Token>, std::ops::Range<usize>);

/// The argument at `place` of `jwt.NAME(…)`.
fn secret_of(tokens: &[Token], names: &[&str], place: usize) -> Option<Given> {
    tokens.windows(3).enumerate().find_map(|(i, w)| {
        let [object, dot, name] = w else { return None };
        let fits = name.word().is_some_and(|n| names.contains(&n));
        let method = dot.is('.')
            && object
                .word()
                .is_some_and(|o| o.eq_ignore_ascii_case("jwt") || matches!(o, "jsonwebtoken" | "jwtService"));
        // `sign(payload, secret)`, as it is imported by itself.
        let alone = !dot.is('.') && tokens.iter().any(|t| t.word() == Some("secretOrKey"));
        if !fits || !(method || alone) {
            return None;
        }
        let (all, _) = arguments(tokens, i + 3)?;
        given(all.get(place)?)
    })
}

/// What stands behind one of these names: `secretOrKey: 'x'`.
fn named(tokens: &[Token], names: &[&str]) -> Option<Given> {
    let at = tokens.windows(2).position(
        |w| matches!(w, [n, sign] if n.word().is_some_and(|n| names.contains(&n)) && sign.is(':')),
    )?;
    let rest = tokens.get(at + 2..)?;
    let end = rest.iter().position(|t| t.kind == Kind::Line || t.is(',') || t.is('}')).unwrap_or(rest.len());
    given(rest.get(..end)?)
}

fn given(tokens: &[Token]) -> Option<Given> {
    let shown: Vec<Token> = tokens.iter().filter(|t| t.kind != Kind::Line).cloned().collect();
    let range = shown.first()?.range.start..shown.last()?.range.end;
    Some((shown, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&'static str> {
        assert!(concerns(text), "{text}");
        slips(&super::super::tokens::of(text)).iter().map(|s| s.cause).collect()
    }

    #[test]
    fn slips_of_a_server_are_seen() {
        for (text, cause) in [
            (
                "app.UseRouting();\napp.UseAuthorization();\napp.UseAuthentication();\napp.UseEndpoints(e => {});",
                "server-misconfigured",
            ),
            (
                "services.AddAuthentication(x).AddJwtBearer(y);\napp.UseRouting();\napp.UseAuthorization();",
                "server-misconfigured",
            ),
            ("app.UseMvc();\napp.UseAuthentication();", "server-misconfigured"),
            (
                "const sig = crypto.createHmac('sha1', secret).update(JSON.stringify(req.body)).digest('hex')\nif (req.headers['x-hub-signature'] !== sig) {}",
                "signature-mismatch",
            ),
            (
                "digest = hmac.new(key, json.dumps(request.json).encode(), sha256)\nif request.headers['X-Signature'] != digest:",
                "signature-mismatch",
            ),
            ("jwt.verify(req.headers.authorization, SECRET, cb)", "token-malformed"),
            ("const token = req.headers['authorization']\njwt.verify(token, key)", "token-malformed"),
            ("jwt.sign(payload, 'secret1')\njwt.verify(token, 'secret2')", "bad-signature"),
            (
                "f() { return sign(payload, 'k1', { expiresIn: '1h' });\nsuper({ secretOrKey: process.env.SECRET })",
                "bad-signature",
            ),
            (
                "JwtModule.register({ secret: 'a' })\nsuper({ secretOrKey: process.env.SECRET })",
                "bad-signature",
            ),
            (
                "jwt.sign(payload, process.env.JWT_KEY)\nnew JwtStrategy({ secretOrKey: process.env.JWT_SECRET }, cb)",
                "bad-signature",
            ),
        ] {
            assert_eq!(of(text), [cause], "{text}");
        }
    }

    #[test]
    fn what_a_server_does_right_is_not_blamed() {
        for text in [
            "app.UseRouting();\napp.UseAuthentication();\napp.UseAuthorization();\napp.UseEndpoints(e => {});",
            "services.AddAuthentication(x).AddJwtBearer(y);",
            "crypto.createHmac('sha256', secret).update(req.rawBody).digest('hex')",
            "const token = req.headers.authorization.split(' ')[1]\njwt.verify(token, key)",
            "const header = req.headers.authorization\nconst token = header.slice(7)\njwt.verify(token, key)",
            "let token = req.headers.authorization\ntoken = token.split(' ')[1]\njwt.verify(token, key)",
            "jwt.sign(payload, key)\njwt.verify(token, secret)",
            "jwt.sign(payload, process.env.KEY)\njwt.verify(token, process.env.KEY)",
            "jwt.verify(token",
            "JwtModule.register({ secret: process.env.SECRET })\nsuper({ secretOrKey: process.env.SECRET })",
            "JwtModule.register({ secret: jwtConstants.secret })\nsuper({ secretOrKey: jwtConstants.secret })",
        ] {
            assert!(of(text).is_empty(), "{text}: {:?}", of(text));
        }
    }
}
