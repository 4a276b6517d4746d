//! Landlock: no file, and no TCP but to the ports of backends and of a call-back.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope,
};

use crate::jail::Applied;

/// The newest of the kernel's Landlock interfaces whose rights were looked at here. Older ones give what they have.
const REVIEWED: ABI = ABI::V6;

/// Takes away files and ports, as far as the kernel's Landlock knows them.
///
/// Signals reach nobody outside, unless `signals` are needed: the process machine's child was made outside this domain and must stay within reach of its tender's.
pub(super) fn restrict(ports: &[u16], signals: bool, applied: &mut Applied) {
    match enforce(ports, signals) {
        Ok(RulesetStatus::FullyEnforced) => applied.done.push("landlock"),
        Ok(RulesetStatus::PartiallyEnforced) => {
            applied.done.push("landlock");
            applied.refused.push("landlock: an older interface, enforced in part".into());
        }
        Ok(RulesetStatus::NotEnforced) => applied.refused.push("landlock: not in this kernel".into()),
        Err(fault) => applied.refused.push(format!("landlock: {fault}")),
    }
}

fn enforce(ports: &[u16], signals: bool) -> Result<RulesetStatus, RulesetError> {
    let scope = if signals { Scope::AbstractUnixSocket.into() } else { Scope::from_all(REVIEWED) };
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
