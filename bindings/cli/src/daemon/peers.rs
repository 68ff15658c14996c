//! Who may speak to the daemon.

use std::os::fd::AsFd;

use nix::sys::socket::{UnixCredentials, getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid};

/// The users and the group that may connect. The socket's mode keeps others out; the kernel is
/// asked again for each connection, for a mode is easily changed.
pub struct Allowed {
    users: Vec<Uid>,
    /// The group of the socket.
    pub group: Gid,
}

impl Allowed {
    /// Root, this user, `users`, and the group or else this process's own.
    pub fn of(group: Option<&str>, users: &[String]) -> Result<Self, String> {
        let mut all = vec![Uid::from_raw(0), geteuid()];
        for name in users {
            all.push(uid(name).ok_or_else(|| format!("--allow {name}: there is no such user"))?);
        }
        let found = match group {
            Some(name) => Some(
                Group::from_name(name)
                    .map_err(|e| format!("--group {name}: {e}"))?
                    .ok_or_else(|| format!("--group {name}: there is no such group"))?,
            ),
            None => Group::from_gid(getegid()).ok().flatten(),
        };
        // The kernel names only a peer's first group; who else is in this one the system's list says.
        all.extend(found.iter().flat_map(|group| &group.mem).filter_map(|name| uid(name)));
        Ok(Allowed { users: all, group: found.map_or_else(getegid, |group| group.gid) })
    }

    /// Whether the program at the other end may speak; otherwise why not.
    pub fn check(&self, connection: &impl AsFd) -> Result<(), String> {
        let peer = getsockopt(connection, PeerCredentials)
            .map_err(|e| format!("the kernel does not name the peer: {e}"))?;
        if self.may(&peer) {
            return Ok(());
        }
        Err(format!("user {} (process {}) may not connect; see --group and --allow", peer.uid(), peer.pid()))
    }

    fn may(&self, peer: &UnixCredentials) -> bool {
        self.users.contains(&Uid::from_raw(peer.uid())) || Gid::from_raw(peer.gid()) == self.group
    }
}

fn uid(name: &str) -> Option<Uid> {
    User::from_name(name).ok().flatten().map(|user| user.uid)
}
