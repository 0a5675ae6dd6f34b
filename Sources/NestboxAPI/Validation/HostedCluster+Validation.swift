import KubernetesAPI
import KubernetesVersions

extension HostedCluster {
    /// Everything that is wrong with it as it stands, the defaults in their places; empty when it can be built.
    public func validate() -> [FieldError] {
        let spec = withDefaults().spec ?? HostedClusterSpec()
        var errors = FieldErrors()
        errors.require(name, is: .dnsLabel, at: "metadata.name")
        errors.require(namespace, is: .dnsLabel, at: "metadata.namespace")
        errors.require(spec.version != nil, "spec.version", "is needed, such as v\(KubernetesVersion.newestMinor).0")
        errors.checkVersion(spec.version, at: "spec.version")
        errors.checkRelease(spec.release, at: "spec.release")
        errors.checkControlPlane(spec.controlPlane, at: "spec.controlPlane")
        errors.checkEtcd(spec)
        errors.checkNetwork(spec.network, at: "spec.network")
        errors.checkPublish(spec.publish, network: spec.network, at: "spec.publish")
        errors.checkCertificates(spec.certificates, at: "spec.certificates")
        errors.require(spec.addons?.kubeProxy?.image, is: .image, at: "spec.addons.kubeProxy.image")
        errors.checkCoreDNS(spec.addons?.coreDNS, network: spec.network, at: "spec.addons.coreDNS")
        errors.require(spec.pausedUntil, is: .timestamp, at: "spec.pausedUntil")
        return errors.list
    }
}

extension FieldErrors {
    mutating func checkVersion(_ version: KubernetesVersion?, at path: String) {
        guard let version, !version.isSupported else { return }
        add(
            path,
            "\(version) is not a version that this Nestbox knows: it runs \(KubernetesVersion.oldestMinor) to \(KubernetesVersion.newestMinor)"
        )
    }

    fileprivate mutating func checkControlPlane(_ spec: ControlPlaneSpec?, at path: String) {
        guard let spec else { return }
        let replicas = spec.replicas ?? 1
        require([1, 3].contains(replicas), "\(path).replicas", "\(replicas) is not 1 or 3: etcd's members are as many, and vote")
        require(spec.imageRegistry, is: .registry, at: "\(path).imageRegistry")
        require(spec.priorityClassName, is: .dnsName, at: "\(path).priorityClassName")
        checkLabels(spec.nodeSelector, at: "\(path).nodeSelector")
        checkTolerations(spec.tolerations, at: "\(path).tolerations")
        for (component, resources) in (spec.resources ?? [:]).sorted(by: { $0.key < $1.key }) {
            let path = "\(path).resources[\(component)]"
            require(component, isOneOf: ControlPlaneSpec.components, at: path)
            checkResources(resources, at: path)
        }
        checkExtraArguments(spec, at: "\(path).extraArguments")
        checkAudit(spec.audit, at: "\(path).audit")
        checkOIDC(spec.oidc, at: "\(path).oidc")
    }

    private mutating func checkResources(_ resources: ResourceRequirements, at path: String) {
        for (list, name) in [(resources.requests, "requests"), (resources.limits, "limits")] {
            for (resource, amount) in (list ?? [:]).sorted(by: { $0.key < $1.key }) {
                require(resource, is: .labelKey, at: "\(path).\(name)[\(resource)]")
                require(amount, is: .quantity, at: "\(path).\(name)[\(resource)]")
            }
        }
        for (resource, limit) in (resources.limits ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let request = resources.requests?[resource].flatMap(Quantity.init), let limit = Quantity(limit) else { continue }
            require(request <= limit, "\(path).requests[\(resource)]", "\(request) is more than the limit of \(limit)")
        }
    }

    fileprivate mutating func checkCertificates(_ spec: CertificatesSpec?, at path: String) {
        guard let spec else { return }
        let lifetimes = [
            ("caLifetime", spec.caLifetime), ("leafLifetime", spec.leafLifetime), ("kubeconfigLifetime", spec.kubeconfigLifetime),
            ("nodeLifetime", spec.nodeLifetime),
        ]
        let shortest = GoDuration(seconds: 600)
        let authority = spec.caLifetime.flatMap(GoDuration.init)
        for (name, text) in lifetimes {
            let path = "\(path).\(name)"
            require(text, is: .duration, at: path)
            guard let lifetime = text.flatMap(GoDuration.init) else { continue }
            if lifetime < shortest {
                add(path, "\(lifetime) is less than \(shortest): no certificate could be renewed in time")
            } else if let authority, lifetime > authority {
                add(path, "\(lifetime) is more than the \(authority) of the CA that signs it")
            }
        }
        if let node = spec.nodeLifetime.flatMap(GoDuration.init), let most = GoDuration(Defaults.nodeLifetime), node > most {
            add("\(path).nodeLifetime", "\(node) is more than \(most): a removed node's certificate must be worth nothing soon")
        }
    }
}

extension ControlPlaneSpec {
    /// What `resources` may speak of: the containers of a control plane.
    public static let components = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "tunnel"]
}

extension KubernetesVersion {
    static let oldestMinor = "1.\(supportedMinors.lowerBound)"
    static let newestMinor = "1.\(supportedMinors.upperBound)"
}
