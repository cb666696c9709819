//! What the person can do with the page "Providers".

#[derive(Clone, Debug, PartialEq)]
pub enum ProvidersCommand {
    /// Reads it all again.
    Refresh,
}
