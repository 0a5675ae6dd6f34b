import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI

/// What nodes are told while a control plane's endpoints change: the old beside the new, until every connected agent has confirmed that.
/// Pure.
///
/// What they are told goes through the tunnel's control stream; its servers say in their reports what was confirmed.
struct EndpointHandover: Equatable {
    /// As the tunnel's server annotates its report: the endpoints that it has told its agents, and those of them that have not confirmed.
    static let endpointsAnnotation = "nestbox.dev/endpoints"
    static let unconfirmedAnnotation = "nestbox.dev/nodes-unconfirmed"
    /// How long old endpoints are told at most: they may lead nowhere, and an agent that cannot confirm must not keep them for ever.
    static let patience: TimeInterval = 600
    /// Of names in a message.
    private static let limit = 5

    /// Old endpoints, and since when they are; nil when there are none.
    var retiring: RetiringEndpoints?
    /// What nodes are told.
    var told: PublishedEndpoints
    /// What a person is to know; empty when there is nothing.
    var message = ""
    /// Whether somebody has kept it waiting for too long.
    var isOverdue = false

    /// When to look again though nothing happens; nil when there is no need.
    func timeLeft(at now: Date) -> TimeInterval? {
        guard let since = retiring.flatMap({ Timestamp.parse($0.since) }), !isOverdue else { return nil }
        return max(since.addingTimeInterval(Self.patience).timeIntervalSince(now), 1)
    }

    /// - Parameters:
    ///   - published: where it is published now.
    ///   - before: where it was when this was asked last.
    ///   - retiring: what it said then.
    ///   - reports: of the tunnel's servers; empty while the tenant's API is not followed.
    init(published: PublishedEndpoints, before: PublishedEndpoints, retiring: RetiringEndpoints?, reports: [Lease], now: Date) {
        let api = Self.old((retiring?.api ?? []) + before.api, but: published.api)
        let tunnel = Self.old((retiring?.tunnel ?? []) + before.tunnel, but: published.tunnel)
        guard !api.isEmpty || !tunnel.isEmpty else {
            self.told = published
            return
        }
        let isNew = api != retiring?.api || tunnel != retiring?.tunnel
        let since = isNew ? Timestamp.format(now) : retiring?.since ?? Timestamp.format(now)
        isOverdue = now.timeIntervalSince(Timestamp.parse(since) ?? now) >= Self.patience
        let both = PublishedEndpoints(api: published.api + api, tunnel: published.tunnel + tunnel)
        let told = isOverdue ? published : both

        // A server of an older release says nothing of it: time decides then.
        let speaking = reports.filter { $0.metadata.annotations?[Self.endpointsAnnotation] != nil }
        let waiting = speaking.filter { $0.metadata.annotations?[Self.endpointsAnnotation] != Self.text(told) }
        let unconfirmed = Set(
            speaking.flatMap { ($0.metadata.annotations?[Self.unconfirmedAnnotation] ?? "").split(separator: ",").map(String.init) })
        let isConfirmed = !reports.isEmpty && speaking.count == reports.count && waiting.isEmpty && unconfirmed.isEmpty
        guard !isConfirmed, !isOverdue || !unconfirmed.isEmpty else {
            self.told = published
            isOverdue = false
            return
        }
        self.told = told
        self.retiring = RetiringEndpoints(api: api, tunnel: tunnel, since: since)
        let names = unconfirmed.sorted()
        let who = names.isEmpty ? "its nodes" : names.inWords(most: Self.limit)
        let old = (api.isEmpty ? tunnel : api).joined(separator: ", ")
        message =
            isOverdue
            ? "\(who) did not confirm the new endpoints within \(Int(Self.patience / 60)) minutes, and may know \(old) only: "
                + "journalctl -u nestbox-node there says more"
            : "\(who) have yet to confirm; until then nodes are told \(old), too"
    }

    /// As servers write it down.
    static func text(_ endpoints: PublishedEndpoints) -> String {
        "\(endpoints.api.joined(separator: ",")) \(endpoints.tunnel.joined(separator: ","))"
    }

    private static func old(_ all: [String], but new: [String]) -> [String] {
        var seen = Set(new)
        return all.filter { seen.insert($0).inserted }
    }
}
