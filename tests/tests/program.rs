//! The real executable: started, asked, driven, killed and restarted, as a person or a script would.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

mod program {
    mod agents;
    mod answering;
    mod backups;
    mod canary;
    mod clients;
    mod command_line;
    mod confine;
    mod crash;
    mod credentials;
    mod crews;
    mod data_folder;
    mod docs;
    mod end_to_end;
    mod flows;
    mod hostile_tree;
    mod interrupt;
    mod mcp;
    mod offline;
    mod old_data;
    mod ownership;
    mod profiles;
    mod providers_forbidden;
    mod providers_wire;
    mod recovery;
    mod settings;
}
