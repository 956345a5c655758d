//! One module an evidence format; finds the format by content.
