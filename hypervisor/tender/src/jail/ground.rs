//! Landlock: no file, and no TCP but to the ports of backends and of a call-back.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope,
};

use crate::jail::{Applied, Needs, Sockets};
use crate::order::Machine;

/// The newest of the kernel's Landlock interfaces whose rights were looked at here. Older ones give what they have.
const REVIEWED: ABI = ABI::V6;

/// Takes away files and ports, as far as the kernel's Landlock knows them.
pub(super) fn restrict(needs: &Needs, applied: &mut Applied) {
    match enforce(needs) {
        Ok(RulesetStatus::FullyEnforced) => applied.done.push("landlock"),
        Ok(RulesetStatus::PartiallyEnforced) => {
            applied.done.push("landlock");
            applied.refused.push("landlock: an older interface, enforced in part".into());
        }
        Ok(RulesetStatus::NotEnforced) => applied.refused.push("landlock: not in this kernel".into()),
        Err(fault) => applied.refused.push(format!("landlock: {fault}")),
    }
}

fn enforce(needs: &Needs) -> Result<RulesetStatus, RulesetError> {
    let ports = match &needs.sockets {
        Sockets::None => &[][..],
        Sockets::ConnectTo(ports) => ports,
    };
    // The process machine's child was made outside this domain and must stay within reach of its tender's signals.
    let scope = match needs.machine {
        Machine::Kvm => Scope::from_all(REVIEWED),
        Machine::Process => Scope::AbstractUnixSocket.into(),
    };
    let rules = ports.iter().map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(REVIEWED))?
        .handle_access(AccessNet::from_all(REVIEWED))?
        .scope(scope)?
        .create()?
        .add_rules(rules)?
        .restrict_self()?;
    Ok(status.ruleset)
}
