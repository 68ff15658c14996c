//! Duitku as a plugin: the provider stands in the crate above.

bayar_provider::export_provider!(provider::Duitku);
