//! The codec of authentication fields (RFC 9110 section 11) and of what the schemes carry.
