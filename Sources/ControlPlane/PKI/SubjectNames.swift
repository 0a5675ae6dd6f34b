import SwiftASN1
import X509

/// The user and the groups that a distinguished name stands for.
struct SubjectNames {
    var commonName = ""
    var organizations: [String] = []
    /// Whether it holds anything else, or more than one common name: no kubelet's does.
    var hasOthers = false

    init(_ name: DistinguishedName) {
        var commonNames: [String] = []
        for attribute in name.flatMap({ Array($0) }) {
            let value = String(attribute.value)
            switch (attribute.type, value) {
            case (.RDNAttributeType.commonName, let value?): commonNames.append(value)
            case (.RDNAttributeType.organizationName, let value?): organizations.append(value)
            default: hasOthers = true
            }
        }
        commonName = commonNames.last ?? ""
        hasOthers = hasOthers || commonNames.count != 1
        organizations.sort()
    }
}

/// The names in a subject alternative name extension.
struct AlternativeNames {
    var dnsNames: [String] = []
    var ipAddresses: [String] = []
    /// Whether it holds any other kind of name (mail, URI).
    var hasOthers = false

    init(_ names: SubjectAlternativeNames?) {
        for name in names ?? SubjectAlternativeNames() {
            switch name {
            case .dnsName(let name): dnsNames.append(name)
            case .ipAddress(let bytes):
                if let address = IPAddressBytes.text(bytes.bytes) { ipAddresses.append(address) } else { hasOthers = true }
            default: hasOthers = true
            }
        }
    }
}
