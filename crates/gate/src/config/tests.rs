use super::*;

const BASE: &str = "[accounts]\nhtpasswd = \"users\"\n[[site]]\nupstream = \"http://127.0.0.1:8080\"\n";

fn told(text: &str) -> String {
    Config::parse(text, Path::new("/etc/gate.toml")).map_or_else(|e| e, |_| "right".to_owned())
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (rule, expected) in [
        ("path = \"/x\"", "right"),
        ("path = \"/x\"\nmethodes = []", "gate.toml:7: unknown field `methodes`"),
        ("path = \"x\"", "gate.toml:6: \"x\" does not begin with a slash"),
        ("path = \"/x\"\nmethods = [\"post\"]", "gate.toml:7: \"post\": methods are written in capitals"),
        ("path = \"/x\"\nallow = [\"192.0.2.1/24\"]", "gate.toml:7: \"192.0.2.1/24\" has bits set"),
        (
            "path = \"/x\"\nallow = [\"192.0.2.1\"]\ndeny = [\"192.0.2.1\"]",
            "gate.toml:7: \"192.0.2.1\" is both allowed and denied",
        ),
        ("path = \"/x\"\nsatisfy = \"any\"", "gate.toml:5: rule \"/x\": satisfy = \"any\" without allow"),
        ("path = \"/x\"\nschemes = [\"bearer\"]", "needs a section [bearer]"),
        ("path = \"/x\"\nschemes = [\"basik\"]", "gate.toml:7: unknown variant `basik`"),
        ("path = \"/x\"\nschemes = []\nusers = [\"a\"]", "need a scheme"),
        ("path = \"/{account}\"\nschemes = []", "names the account"),
        ("path = \"/x\"\ninbox = true\nmethods = [\"POST\"]", "needs a section [inbox]"),
        ("path = \"/x\"\nscope = \"a\"", "scope is of tokens"),
        ("path = \"/x\"\ntls = true", "neither [server.tls]"),
    ] {
        let found = told(&format!("{BASE}[[site.rule]]\n{rule}\n"));
        assert!(found.contains(expected), "{rule}: {found}");
    }
    for (site, expected) in [
        ("upstream = \"https://a.example\"\nupstream_version = \"2\"", "right"),
        ("upstream = \"https://a.example\"\nupstream_tls = { authority = \"ca.pem\" }", "right"),
        (
            "upstream = \"ftp://a.example\"",
            "gate.toml:4: upstream \"ftp://a.example\": it begins with http://",
        ),
        ("upstream = \"http://a\"\nupstream_version = \"3\"", "gate.toml:5: upstream_version is"),
        (
            "upstream = \"http://a\"\nupstream_tls = {}",
            "gate.toml:5: upstream_tls is for an upstream with https://",
        ),
        (
            "upstream = \"https://a\"\nupstream_tls = { key = \"k\" }",
            "gate.toml:5: upstream_tls: certificate and key",
        ),
        ("upstream_version = \"2\"", "gate.toml:4: the site has no upstream"),
    ] {
        let found =
            told(&format!("[accounts]\nhtpasswd = \"u\"\n[[site]]\n{site}\n[[site.rule]]\npath = \"/\"\n"));
        assert!(found.contains(expected), "{site}: {found}");
    }
    for (traces, expected) in [
        ("endpoint = \"collector:4318\"", "gate.toml:2: endpoint: it does not begin with"),
        ("endpoint = \"http://c/v1/traces\"\nshare = 2.0", "gate.toml:3: share is a number from 0 to 1"),
        (
            "endpoint = \"http://c/v1/traces\"\nfields = { \"A b\" = \"c\" }",
            "gate.toml:3: \"A b\" is no field",
        ),
    ] {
        assert!(told(&format!("[traces]\n{traces}\n")).contains(expected), "{traces}");
    }
    assert!(told("").contains("there is no [[site]]"));
    assert!(told(BASE).contains("gate.toml:3: the site has no [[site.rule]]"));
    assert!(told("[limits]\nidle = \"soon\"\n").contains("gate.toml:2: \"soon\" is no duration"));
    assert!(told("[limits]\nper_address = \"10\"\n").contains("no rate"));
}

#[test]
fn hosts_are_names_or_domains() {
    let text = format!("{BASE}hosts = [\"Example.com\", \"*.example.org\"]\n[[site.rule]]\npath = \"/**\"\n");
    let config = Config::parse(&text, Path::new("gate.toml")).unwrap();
    let site = &config.sites[0];
    for (host, expected) in [
        ("example.com", true),
        ("a.example.com", false),
        ("a.example.org", true),
        ("example.org", false),
        ("evilexample.org", false),
    ] {
        assert_eq!(site.has(host), expected, "{host}");
    }
}
