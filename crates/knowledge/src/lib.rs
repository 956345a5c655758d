//! What servers, gateways and libraries say when they refuse, and what clients do.
