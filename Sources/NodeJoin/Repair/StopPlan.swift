extension Plan {
    /// Ends all that runs on a machine for its tenant: after this no pod of its node writes anywhere, and others may take their place.
    public static func stop(_ owner: MachineOwner) -> Plan {
        Plan(name: "Stop", fence: cleaningFence(owner), steps: [CleanServices.stop, CleanProcesses.kill, CleanMounts.unmount])
    }
}
