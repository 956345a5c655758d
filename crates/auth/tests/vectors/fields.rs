//! Others' cases: what the tests of clients, servers and libraries expect of authentication fields.

use crate::shared;
use serde_json::Value;
use std::collections::BTreeMap;
use why401_auth::{Element, Inside, inside, parse_challenges, parse_credentials};

/// Where we know better than an implementation: its case, and why.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "scottlamb_http_auth",
        "doc-error",
        "`error error` is a challenge with a token68 by RFC 9110; http-auth has none",
    ),
    (
        "oauth4webapi",
        "param-missing",
        "a scheme alone is a challenge by RFC 9110; the client wants parameters",
    ),
    ("oauth4webapi", "two-schemes-no-params", "the same"),
    ("oauth4webapi", "two-schemes-one-without", "the same"),
];

#[test]
fn authentication_fields_of_other_projects() {
    let Some(dir) = shared::folder("peers/authfields") else { return };
    let (mut agreed, mut explained, mut elsewhere) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "jsonl")) {
        for case in shared::json_lines(file) {
            let (suite, id) = (case["suite"].as_str().unwrap(), case["id"].as_str().unwrap());
            match judge(&case) {
                None => elsewhere += 1,
                Some(Ok(())) => agreed += 1,
                Some(Err(_)) if EXPLAINED.iter().any(|(s, i, _)| (*s, *i) == (suite, id)) => explained += 1,
                Some(Err(why)) => wrong.push(format!("{suite} {id}: {why}")),
            }
        }
    }
    let known = EXPLAINED.len();
    assert_eq!(explained, known, "an explanation that explains nothing");
    println!("agreed {agreed}, explained {explained}, not about fields {elsewhere}, wrong {}", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(agreed > 150);
}

/// `None`: the case is about something else than reading a field.
fn judge(case: &Value) -> Option<Result<(), String>> {
    let expect = &case["expect"];
    let field = case["field"].as_str()?;
    if field == "(quoted-string content)" {
        return Some(quoted_string(case["input"].as_str()?, expect));
    }
    if field == "(auth-params)" {
        let input = format!("X {}", case["input"].as_str()?);
        let read = parse_challenges(input.as_bytes());
        return Some(same(&params(&read.value[0]), &wanted(&expect["params"])));
    }
    if expect.get("response").is_some() {
        return Some(digest(case));
    }
    let inputs: Vec<&str> = match &case["input"] {
        Value::Array(many) => many.iter().map(|v| v.as_str().unwrap()).collect(),
        one => vec![one.as_str()?],
    };
    Some(if field.ends_with("Authenticate") {
        challenges(&inputs, expect)
    } else {
        credentials(inputs[0], expect)
    })
}

fn challenges(inputs: &[&str], expect: &Value) -> Result<(), String> {
    let reads: Vec<_> = inputs.iter().map(|i| parse_challenges(i.as_bytes())).collect();
    let ok = reads.iter().all(|r| r.strict_ok());
    let all: Vec<&Element> = reads.iter().flat_map(|r| &r.value).collect();
    if expect.get("error").is_some() && ok {
        return Err(format!("read as valid: {all:?}"));
    }
    if let Some(scheme) = expect.get("first_scheme") {
        let text = all[0].rest.text.expose_text().into_owned();
        same(&all[0].scheme.written.as_str(), &scheme.as_str().unwrap())?;
        return same(&text.as_str(), &expect["first_parameter_text"].as_str().unwrap_or(""));
    }
    match expect.get("schemes") {
        Some(schemes) => {
            if !ok && expect.get("strict_error").is_none() && !inputs[0].contains("&&") {
                return Err(format!("read as invalid: {:?}", reads[0].problems));
            }
            schemes_agree(&all, schemes)
        }
        None => Ok(()),
    }
}

fn credentials(input: &str, expect: &Value) -> Result<(), String> {
    let read = parse_credentials(input.as_bytes());
    let all: Vec<&Element> = read.value.iter().collect();
    let basic = all.first().filter(|c| c.is("basic")).map(|c| inside::of(input.as_bytes(), c));
    if expect.get("error").is_some() {
        let readable = read.strict_ok()
            && match &basic {
                Some(Inside::Basic(b)) => {
                    b.is_well_formed()
                        && (b.text.expose().is_ascii() || std::str::from_utf8(b.text.expose()).is_ok())
                }
                Some(_) => false,
                None => !all[0].is("digest") && expect.get("as").is_none(),
            };
        return if readable { Err(format!("read as valid: {all:?}")) } else { Ok(()) };
    }
    if let Some(user) = expect.get("username") {
        let Some(Inside::Basic(b)) = &basic else { return Err("no Basic".into()) };
        let password = b.password.as_ref().map(|p| p.expose_text().into_owned());
        same(&b.user_text().as_ref(), &user.as_str().unwrap())?;
        return same(&password.as_deref(), &expect["password"].as_str());
    }
    match expect.get("schemes") {
        Some(schemes) => schemes_agree(&all, schemes),
        None => Ok(()),
    }
}

fn schemes_agree(all: &[&Element], schemes: &Value) -> Result<(), String> {
    let schemes = schemes.as_array().unwrap();
    same(&all.len(), &schemes.len())?;
    for (got, want) in all.iter().zip(schemes) {
        same(&got.scheme.name, &want["scheme"].as_str().unwrap().to_lowercase())?;
        same(&params(got), &wanted(&want["params"]))?;
        let token = got.token68.as_ref().map(|t| t.text.expose_text().into_owned());
        same(&token.as_deref(), &want.get("token68").and_then(Value::as_str))?;
    }
    Ok(())
}

/// Parameters as the suites hold them: a map, in which the last of one name wins.
fn params(element: &Element) -> BTreeMap<String, Option<String>> {
    element.params.iter().map(|p| (p.name.clone(), p.text().map(|t| t.into_owned()))).collect()
}

fn wanted(params: &Value) -> BTreeMap<String, Option<String>> {
    let map = params.as_object().unwrap();
    map.iter().map(|(k, v)| (k.to_lowercase(), v.as_str().map(str::to_string))).collect()
}

fn quoted_string(content: &str, expect: &Value) -> Result<(), String> {
    let input = format!("X a=\"{content}\"");
    let read = parse_challenges(input.as_bytes());
    match expect.get("value") {
        Some(value) if read.strict_ok() => same(&read.value[0].text("a").as_deref(), &value.as_str()),
        Some(_) => Err(format!("{:?}", read.problems)),
        None if read.strict_ok() => Err("read as valid".into()),
        None => Ok(()),
    }
}

fn digest(case: &Value) -> Result<(), String> {
    use why401_auth::Secret;
    use why401_auth::scheme::digest_compute::{Input, Protection, response, userhash};
    let input = case["input"].as_str().unwrap();
    let read = parse_challenges(input.as_bytes());
    let challenge = why401_auth::scheme::digest::challenge(&read.value[0]);
    let text = |name: &str| case[name].as_str().unwrap_or_default();
    let nc = format!("{:08x}", case["nc"].as_u64().unwrap_or_default());
    let (realm, nonce) = (challenge.realm.clone().unwrap(), challenge.nonce.clone().unwrap());
    let protection = case["qop"].as_str().map(|qop| Protection {
        nc: nc.as_bytes(),
        cnonce: text("cnonce").as_bytes(),
        qop: qop.as_bytes(),
        body: b"",
    });
    let algorithm = challenge.algorithm.unwrap();
    let got = response(&Input {
        algorithm,
        username: text("username").as_bytes(),
        realm: realm.as_bytes(),
        password: Secret::new(text("password")),
        method: text("method").as_bytes(),
        uri: text("uri").as_bytes(),
        nonce: nonce.as_bytes(),
        protection,
    });
    same(&got.expose_text().as_ref(), &case["expect"]["response"].as_str().unwrap())?;
    if challenge.userhash {
        let hash = userhash(algorithm, text("username").as_bytes(), realm.as_bytes());
        if !text("note").contains(&hash) {
            return Err(format!("userhash {hash}"));
        }
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, want: &T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("got {got:?}, want {want:?}")) }
}
