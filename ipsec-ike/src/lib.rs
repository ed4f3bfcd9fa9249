//! IKE state machines, sans-IO: IKEv1 main and quick mode, NAT traversal, and the diagnosis of what fails
#![forbid(unsafe_code)]
