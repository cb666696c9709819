//! Commands that agents run, shut in: folders, network, processes, memory, disk and time, by what the system offers.
