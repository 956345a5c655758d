//! What each account, client and resource did over time.
