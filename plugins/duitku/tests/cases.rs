//! Every request that is built, every answer and callback that is read, and the promises of all providers.

bayar_tests::provider!(bayar_duitku::Duitku);
