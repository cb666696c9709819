//! Credentials: which services have one, where it lies, when it was tested; never the secret itself.
