//! The products that people meet most: each has its file, wordings with their sources, and advice in its own words.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use why401_knowledge::{Knowledge, Product};

/// Those that have a configuration of their own to mend. GNU Wget to Safari stand in the list of clients.
const PRODUCTS: &[&str] = &[
    // Servers and proxies.
    "apache-httpd",
    "nginx",
    "iis",
    "haproxy",
    "envoy",
    "traefik",
    "caddy",
    "lighttpd",
    "squid",
    "tomcat",
    "jetty",
    "kestrel",
    // Frameworks and libraries.
    "aspnet-core",
    "spring-security",
    "django-rest-framework",
    "fastapi",
    "rails",
    "laravel",
    "express",
    "pyjwt",
    "jsonwebtoken",
    // Identity providers and platforms.
    "keycloak",
    "entra-id",
    "auth0",
    "okta",
    "cognito",
    "google-cloud",
    "github",
    "gitlab",
    "bitbucket",
    // Registries and their clients.
    "distribution",
    "docker",
    "npm",
    "pip",
    "maven",
    "nuget",
    "cargo",
    "artifactory",
    "nexus",
    // Infrastructure.
    "kubernetes",
    "etcd",
    "vault",
    "elasticsearch",
    "grafana",
    "prometheus",
    "s3-compatible",
    "aws",
    "azure",
    "cloudflare",
    "kong",
    "istio",
    "apisix",
    "oauth2-proxy",
    // Services.
    "slack",
    "discord",
    "stripe",
    "twilio",
    "openai",
    "anthropic",
    "mcp",
];

/// Fewer wordings than this are a file begun and not finished.
const WORDINGS: usize = 5;
/// Its sources are closed: what it says is known from what people pasted.
const FEW: &[&str] = &["nexus"];

fn known(name: &str) -> &'static Product {
    let found = Knowledge::shared().named(name);
    found.map(|(_, p)| p).unwrap_or_else(|| panic!("{name} has no file"))
}

#[test]
fn every_product_has_wordings_and_advice() {
    for name in PRODUCTS {
        let product = known(name);
        let wordings: usize = product.phrases.iter().map(|p| p.text.0.len().max(1)).sum();
        assert!(wordings >= WORDINGS || FEW.contains(name), "{name}: {wordings} wordings");
        assert!(!product.fixes.is_empty(), "{name}: nothing mends it");
        assert!(!product.marks.is_empty(), "{name}: nothing tells it from others");
    }
}

/// What a client does on challenges, redirects, userinfo, `.netrc` and preflights: the topics that each must speak of.
#[test]
fn every_client_has_its_habits() {
    for (name, topics) in [
        ("curl", &["redirect", "user:password@", ".netrc", "challenge"][..]),
        ("wget", &["challenge", ".netrc"]),
        ("requests", &["redirect", ".netrc", "user:password@", "challenge"]),
        ("httpx", &["redirect", ".netrc", "user:password@"]),
        ("axios", &["redirect", "user:password@"]),
        ("fetch", &["redirect", "user:password@", "preflight"]),
        ("okhttp", &["redirect", "401"]),
        ("dotnet-httpclient", &["redirect", "challenge"]),
        ("java-http", &["user:password@", "challenge"]),
        ("go-modules", &["redirect", ".netrc", "user:password@"]),
        ("git", &["redirect", "asks without credentials", "user:password@"]),
        ("browsers", &["challenge", "user:password@"]),
    ] {
        for topic in topics {
            let told = known(name).habits.iter().any(|h| h.what.contains(topic));
            assert!(told, "{name}: what does it do about {topic}?");
        }
    }
}
