//! The data files, embedded. A new file is one line here; a test holds the list against the folder.

macro_rules! files {
    ($($path:literal,)*) => {
        /// Path below `data/` and contents of every file.
        pub(crate) const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../data/", $path)))),*];
    };
}

files! {
    "library/active-directory-ldap.toml",
    "library/aspnet-core.toml",
    "library/authlib.toml",
    "library/django-rest-framework.toml",
    "library/fastapi.toml",
    "library/flask.toml",
    "library/golang-jwt.toml",
    "library/identityserver.toml",
    "library/java-gss.toml",
    "library/jjwt.toml",
    "library/jose.toml",
    "library/jsonwebtoken.toml",
    "library/kerberos.toml",
    "library/laravel.toml",
    "library/microsoft-identitymodel.toml",
    "library/mod-auth-gssapi.toml",
    "library/mod-auth-openidc.toml",
    "library/nimbus-jose-jwt.toml",
    "library/oauthlib.toml",
    "library/openiddict.toml",
    "library/php-jwt.toml",
    "library/pyjwt.toml",
    "library/quarkus.toml",
    "library/rails.toml",
    "library/ruby-jwt.toml",
    "library/sabredav.toml",
    "library/spnego-http-auth-nginx.toml",
    "library/spring-security.toml",
    "library/symfony.toml",
    "library/wordpress.toml",
    "proxy/apisix.toml",
    "proxy/authelia.toml",
    "proxy/envoy.toml",
    "proxy/haproxy.toml",
    "proxy/istio.toml",
    "proxy/kong.toml",
    "proxy/krakend.toml",
    "proxy/oauth2-proxy.toml",
    "proxy/squid.toml",
    "proxy/traefik.toml",
    "proxy/tyk.toml",
    "server/apache-httpd.toml",
    "server/caddy.toml",
    "server/iis.toml",
    "server/lighttpd.toml",
    "server/nginx.toml",
    "server/tomcat.toml",
}
