//! The sandbox: every provider, simulated on one port.
