import KubernetesAPI

extension FieldErrors {
    mutating func checkOIDC(_ spec: OIDCSpec?, at path: String) {
        guard let spec else { return }
        require(spec.issuerURL != nil, "\(path).issuerURL", "is needed, such as https://login.example.com")
        require(spec.issuerURL, is: .issuer, at: "\(path).issuerURL")
        require(spec.clientID != nil, "\(path).clientID", "is needed: tokens for somebody else are not to be taken")
        for (name, text) in [("clientID", spec.clientID), ("usernameClaim", spec.usernameClaim), ("groupsClaim", spec.groupsClaim)] {
            require(text, is: .claim, at: "\(path).\(name)")
        }
        for (name, prefix) in [("usernamePrefix", spec.usernamePrefix), ("groupsPrefix", spec.groupsPrefix)] {
            require(prefix, is: .claimPrefix, at: "\(path).\(name)")
            require(
                prefix?.hasPrefix("system:") != true, "\(path).\(name)",
                "begins with system:, and those names are Kubernetes' own: its bearers could be anybody")
        }
        require(spec.groupsPrefix == nil || spec.groupsClaim != nil, "\(path).groupsPrefix", "has no meaning without groupsClaim")
        for (claim, value) in (spec.requiredClaims ?? [:]).sorted(by: { $0.key < $1.key }) {
            require(claim, is: .claim, at: "\(path).requiredClaims[\(claim)]")
            // A flag of kube-apiserver's is split at its first one.
            require(!claim.contains("="), "\(path).requiredClaims[\(claim)]", "has a = in its name, which kube-apiserver cannot be told")
            require(value, is: .claim, at: "\(path).requiredClaims[\(claim)]")
        }
        guard let authority = spec.certificateAuthority else { return }
        require(
            authority.contains("-----BEGIN CERTIFICATE-----") && authority.contains("-----END CERTIFICATE-----"),
            "\(path).certificateAuthority", "is not a certificate in PEM (-----BEGIN CERTIFICATE-----)")
        require(!authority.contains("PRIVATE KEY"), "\(path).certificateAuthority", "holds a private key: give the certificate alone")
    }
}

extension Syntax {
    /// kube-apiserver takes no other scheme, and compares the text with the token's `iss`.
    static let issuer = Syntax(description: "an https URL without user, query and fragment, such as https://login.example.com/realm") {
        text in
        let rest = text.hasPrefix("https://") ? text.dropFirst(8) : ""
        guard !rest.isEmpty, text.utf8.count <= 1024, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return false }
        return !rest.contains(where: { "?#@\"\\".contains($0) }) && !rest.hasPrefix("/") && !rest.hasPrefix(":")
    }

    static let claim = Syntax(description: "1 to 253 printable characters") { text in
        (1...253).contains(text.unicodeScalars.count) && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    static let claimPrefix = Syntax(description: "at most 253 printable characters") { text in
        text.unicodeScalars.count <= 253 && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
