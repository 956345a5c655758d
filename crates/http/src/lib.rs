//! Messages, exchanges and who took part in them.
