//! What the tests need from the system: a software Vulkan driver, a virtual display and its libraries, a call tracer.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// Something that the tests need, and the Debian package that brings it.
struct Need {
    name: &'static str,
    package: &'static str,
    is_there: fn() -> bool,
}

const NEEDS: [Need; 10] = [
    Need { name: "a Vulkan driver", package: "mesa-vulkan-drivers", is_there: has_vulkan_driver },
    Need { name: "the virtual display Xvfb", package: "xvfb", is_there: || process::exists("Xvfb") },
    Need { name: "xdotool", package: "xdotool", is_there: || process::exists("xdotool") },
    Need {
        name: "the keyboard library of X11",
        package: "libxkbcommon-x11-0",
        is_there: || has_library("libxkbcommon-x11.so.0"),
    },
    Need { name: "the cursor library of X11", package: "libxcursor1", is_there: || has_library("libXcursor.so.1") },
    Need { name: "the input library of X11", package: "libxi6", is_there: || has_library("libXi.so.6") },
    Need { name: "the bridge from Xlib to XCB", package: "libx11-xcb1", is_there: || has_library("libX11-xcb.so.1") },
    Need { name: "the GNOME keyring", package: "gnome-keyring", is_there: || process::exists("gnome-keyring-daemon") },
    Need { name: "D-Bus", package: "dbus", is_there: || process::exists("dbus-run-session") },
    Need { name: "strace", package: "strace", is_there: || process::exists("strace") },
];

/// Installs what is missing as root on Debian or Ubuntu; elsewhere says what to run and ends.
pub fn ensure() -> Result<()> {
    if !cfg!(target_os = "linux") {
        eprintln!("note: the window tests run on Linux only");
        return Ok(());
    }
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let debian = Path::new("/etc/debian_version").exists() && process::exists("apt-get");
    if !debian {
        bail!(
            "missing: {}. Install them with your system's packages (on Debian: {})",
            names.join(", "),
            packages.join(" ")
        );
    }
    if !is_root()? {
        bail!(
            "missing: {}. Run this once:\n\n    sudo apt-get install --no-install-recommends {}\n",
            names.join(", "),
            packages.join(" ")
        );
    }
    eprintln!("installing {}", names.join(", "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    process::run(apt().args(["update", "-qq"]))?;
    process::run(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages))
}

fn has_vulkan_driver() -> bool {
    if std::env::var_os("VK_DRIVER_FILES").is_some() || std::env::var_os("VK_ICD_FILENAMES").is_some() {
        return true;
    }
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
    folders.iter().any(|folder| std::fs::read_dir(folder).is_ok_and(|mut items| items.next().is_some()))
}

fn has_library(name: &str) -> bool {
    let ldconfig = if Path::new("/sbin/ldconfig").exists() { "/sbin/ldconfig" } else { "ldconfig" };
    Command::new(ldconfig).arg("-p").output().is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(name))
}

fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}
