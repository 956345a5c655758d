//! What of a log is wanted.

use why401_fold::{Claimed, Seen};
use why401_http::{Exchange, LoggedUser, Statement, path_of};

/// Which requests are wanted; by default all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before this time, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
    /// Under this name; requests without any name of the same log are not wanted then.
    pub account: Option<String>,
    /// From this address.
    pub client: Option<String>,
    /// For this path and whatever lies below it.
    pub resource: Option<String>,
}

impl Filter {
    /// Whether it wants everything.
    pub fn is_open(&self) -> bool {
        *self == Filter::default()
    }

    fn wants_time(&self, time: Option<i64>) -> bool {
        let Some(time) = time else { return self.since.is_none() && self.until.is_none() };
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    fn wants_path(&self, path: &[u8]) -> bool {
        self.resource.as_ref().is_none_or(|wanted| {
            let below = path.strip_prefix(wanted.as_bytes());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || wanted.ends_with('/'))
        })
    }

    /// Whether a line of a log is wanted.
    pub fn wants(&self, seen: &Seen<'_>) -> bool {
        let named = |wanted: &String| matches!(seen.user, Claimed::Name(n) if n == wanted.as_bytes());
        self.wants_time(seen.time)
            && self.account.as_ref().is_none_or(named)
            && self.client.as_ref().is_none_or(|c| c.as_bytes() == seen.client)
            && self.wants_path(seen.path)
    }

    /// Whether words are wanted: where they tell nothing of what is asked for, they are.
    pub fn wants_statement(&self, statement: &Statement) -> bool {
        let is = |wanted: &Option<String>, told: Option<&str>| match (wanted, told) {
            (Some(wanted), Some(told)) => wanted == told,
            _ => true,
        };
        let time = statement.time.map(|t| t.at.as_millisecond());
        (time.is_none() || self.wants_time(time))
            && is(&self.account, statement.user.as_deref())
            && is(&self.client, statement.client.as_ref().map(|c| c.host.as_str()))
            && statement.target.as_deref().is_none_or(|t| self.wants_path(path_of(t).as_bytes()))
    }

    /// Whether an exchange is wanted. What credentials name is not looked into: without a name in a log, the account
    /// decides nothing.
    pub fn wants_exchange(&self, exchange: &Exchange) -> bool {
        let named = |wanted: &String| match &exchange.user {
            LoggedUser::Name(name) => name.as_bytes() == wanted.as_bytes(),
            LoggedUser::NotLogged => true,
            LoggedUser::Dash | LoggedUser::Empty => false,
        };
        let path = exchange.request.as_ref().map(|r| path_of(&r.target()).to_owned()).unwrap_or_default();
        self.wants_time(exchange.time.map(|t| t.at.as_millisecond()))
            && self.account.as_ref().is_none_or(named)
            && self.client.as_ref().is_none_or(|c| exchange.client.as_ref().is_some_and(|p| p.host == *c))
            && self.wants_path(path.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_it_is_asked() {
        let seen = Seen {
            client: b"192.0.2.1",
            user: Claimed::Name(b"alice"),
            time: Some(5000),
            path: b"/v1/orders",
            ..Seen::default()
        };
        let filter = |text: &str| {
            let mut filter = Filter::default();
            match text.split_once('=') {
                Some(("since", v)) => filter.since = v.parse().ok(),
                Some(("until", v)) => filter.until = v.parse().ok(),
                Some(("account", v)) => filter.account = Some(v.to_owned()),
                Some(("client", v)) => filter.client = Some(v.to_owned()),
                Some(("resource", v)) => filter.resource = Some(v.to_owned()),
                _ => {}
            }
            filter.wants(&seen)
        };
        for yes in [
            "",
            "since=5000",
            "until=5001",
            "account=alice",
            "client=192.0.2.1",
            "resource=/v1",
            "resource=/v1/",
        ] {
            assert!(filter(yes), "{yes}");
        }
        for no in [
            "since=5001",
            "until=5000",
            "account=alic",
            "client=192.0.2.10",
            "resource=/v",
            "resource=/v1/orders/",
        ] {
            assert!(!filter(no), "{no}");
        }
    }
}
