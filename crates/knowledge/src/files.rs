//! The data files, embedded. A new file is one line here; a test holds the list against the folder.

macro_rules! files {
    ($($path:literal,)*) => {
        /// Path below `data/` and contents of every file.
        pub(crate) const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../data/", $path)))),*];
    };
}

files! {
    "library/jsonwebtoken.toml",
    "library/kerberos.toml",
    "library/mod-auth-gssapi.toml",
    "library/mod-auth-openidc.toml",
    "proxy/envoy.toml",
    "proxy/haproxy.toml",
    "proxy/istio.toml",
    "proxy/oauth2-proxy.toml",
    "proxy/squid.toml",
    "proxy/traefik.toml",
    "server/apache-httpd.toml",
    "server/caddy.toml",
    "server/lighttpd.toml",
    "server/nginx.toml",
}
