import ControlPlane
import KubernetesVersions
import Testing

@Suite struct EtcdImageReferenceTests {
    @Test(arguments: [
        ("registry.k8s.io/etcd:3.5.24-0", "registry.k8s.io/etcd", "3.5.24-0", ProgramVersion(3, 5, 24)),
        ("quay.io/coreos/etcd:v3.6.8", "quay.io/coreos/etcd", "v3.6.8", ProgramVersion(3, 6, 8)),
        ("r/etcd:3.6.8-hardened@sha256:7b2f", "r/etcd", "3.6.8-hardened", ProgramVersion(3, 6, 8)),
        ("registry:5000/etcd:3.5.24-0", "registry:5000/etcd", "3.5.24-0", ProgramVersion(3, 5, 24)),
        // None of these says which etcd it is.
        ("registry:5000/etcd", "registry:5000/etcd", nil, nil), ("etcd@sha256:3f2f", "etcd", nil, nil),
        ("etcd:latest", "etcd", "latest", nil),
        ("etcd:20260801", "etcd", "20260801", nil),
    ])
    func aReferenceIsRead(reference: String, repository: String, tag: String?, version: ProgramVersion?) {
        let image = EtcdImageReference(reference)
        #expect(image.repository == repository && image.tag == tag && image.version == version)
    }
}
