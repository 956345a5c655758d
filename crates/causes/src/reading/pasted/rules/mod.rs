//! What people write when something is the cause. General priors, gathered from reports whose cause was found.

mod layers;
mod others;
mod sessions;
mod windows;

use super::Rule;

/// All of them, the more particular first.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> + Clone {
    [layers::RULES, windows::RULES, sessions::RULES, others::RULES].into_iter().flatten()
}

const WORKS: &[&str] = &[
    "works",
    "worked",
    "working",
    "fine",
    "ok",
    "loads",
    "succeeds",
    "success",
    "successful",
    "successfully",
    "no problem",
    "no problems",
    "no issue",
    "no issues",
    "correctly",
    "200",
    "goes away",
    "solves",
    "accepted",
    "it work",
    "no 401",
    "no error",
    "no errors",
];

const REFUSED: &[&str] = &[
    "401",
    "unauthorized",
    "unauthorised",
    "not authorized",
    "403",
    "fails",
    "failed",
    "failing",
    "prompt~",
    "asks",
    "asked",
    "asking",
    "refused",
    "denied",
    "blocked",
    "not work",
    "doesn t work",
    "error",
    "rejected",
    "again and again",
    "unauthenticated",
    "login page",
    "popup",
    "stops working",
];

const PROXY: &[&str] = &[
    "nginx",
    "apache",
    "caddy",
    "traefik",
    "haproxy",
    "proxy",
    "reverse proxy",
    "ingress",
    "htaccess",
    "gateway",
    "httpd",
    "npm proxy",
    "cloudflare",
    "load balancer",
    "openresty",
    "iis",
    "envoy",
    "kong",
];

const WITHOUT: &[&str] = &[
    "without",
    "disabl~",
    "deactivat~",
    "remov~",
    "turn off",
    "turned off",
    "switch off",
    "switched off",
    "commenting out",
    "comment out",
    "commented out",
    "take away",
    "taking out",
    "drop the",
];

const LOGIN: &[&str] = &[
    "basic auth",
    "basic authentication",
    "basicauth",
    "auth basic",
    "htpasswd",
    "auth",
    "authentication",
    "password protection",
];

const REPLICAS: &[&str] = &[
    "replica~",
    "instances",
    "nodes",
    "pods",
    "workers",
    "servers",
    "cluster",
    "load balancer",
    "load balanc~",
    "two servers",
    "multiple instances",
    "round robin",
    "processes",
    "dynos",
];

const SOMETIMES: &[&str] = &[
    "sometimes",
    "random~",
    "intermittent~",
    "every second",
    "every other",
    "occasional~",
    "half of",
    "half the",
    "alternat~",
    "one out of",
    "some requests",
    "from time to time",
    "sporadic~",
];
