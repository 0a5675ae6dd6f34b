/// What an agent of upstream's proxy-server is made with.
public struct KonnectivityAgentConfiguration: Sendable {
    /// The one address of all servers. Its host is the name that their certificates are held to.
    public var server: Endpoint
    public var tls: TLSFiles
    /// No two agents have the same.
    public var agentID: String
    /// A query such as `ipv4=10.0.0.1&host=node1`, which servers with the strategies destHost and defaultRoute go by.
    public var identifiers: String
    /// A file with a token that the server reviews; read anew for each connection.
    public var tokenPath: String?
    /// Protocols that are offered beside `h2`, for what stands in front of the server.
    public var extraProtocols: [String]
    public var syncInterval: Duration
    public var syncIntervalCap: Duration
    public var syncForever: Bool
    public var policy: DialPolicy
    /// How long open connections may go on once the agent is asked to stop.
    public var drainTime: Duration

    public init(
        server: Endpoint, tls: TLSFiles, agentID: String, identifiers: String = "", tokenPath: String? = nil,
        extraProtocols: [String] = [], syncInterval: Duration = .seconds(1), syncIntervalCap: Duration = .seconds(10),
        syncForever: Bool = false, policy: DialPolicy = DialPolicy(), drainTime: Duration = .seconds(5)
    ) {
        self.server = server
        self.tls = tls
        self.agentID = agentID
        self.identifiers = identifiers
        self.tokenPath = tokenPath
        self.extraProtocols = extraProtocols
        self.syncInterval = syncInterval
        self.syncIntervalCap = syncIntervalCap
        self.syncForever = syncForever
        self.policy = policy
        self.drainTime = drainTime
    }
}
