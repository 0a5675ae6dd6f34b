import KubernetesAPI
import KubernetesClient
import Logging
import NIOCore
import ServiceLifecycle
import Tunnel

/// Whose tokens are an agent's: upstream's flags `--agent-namespace`, `--agent-service-account`, `--authentication-audience`.
public struct AgentAccount: Sendable, Hashable {
    public var namespace: String
    public var serviceAccount: String
    public var audience: String

    public init(namespace: String, serviceAccount: String, audience: String) {
        self.namespace = namespace
        self.serviceAccount = serviceAccount
        self.audience = audience
    }

    /// Why what the API said of a token does not make it an agent's, or nil.
    func refusal(of status: TokenReviewStatus?) -> String? {
        guard let status else { return "the API said nothing of it" }
        if let error = status.error, !error.isEmpty { return OneLine.clean(error) }
        guard status.authenticated == true else { return "it is not valid" }
        // An API that knows nothing of audiences says nothing of them, and has checked none.
        guard status.audiences?.contains(audience) == true else { return "it is not for the audience \(audience)" }
        let user = status.user?.username ?? ""
        guard user == "system:serviceaccount:\(namespace):\(serviceAccount)" else {
            return "it is \(OneLine.clean(user))'s, not the service account \(namespace)/\(serviceAccount)'s"
        }
        return nil
    }
}

/// Asks the API about agents' tokens.
public struct TokenReviewService: ServiceLifecycle.Service, AgentTokenReviewer {
    /// Agents that wait for an answer; more of them at once are told to come again.
    private static let limit = 256

    private struct Question: Sendable {
        var token: String
        var answer: EventLoopPromise<Void>
    }

    private let client: KubernetesClient
    private let account: AgentAccount
    private let questions: AsyncStream<Question>
    private let asked: AsyncStream<Question>.Continuation

    public init(client: KubernetesClient, account: AgentAccount) {
        self.client = client
        self.account = account
        (questions, asked) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.limit))
    }

    public func review(_ token: String, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let answer = eventLoop.makePromise(of: Void.self)
        switch asked.yield(Question(token: token, answer: answer)) {
        case .enqueued: break
        default: answer.fail(AgentTokenRefused(reason: "too many tokens wait for the API's answer"))
        }
        return answer.futureResult
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await question in questions { group.addTask { await self.answer(question) } }
            }
        }
        asked.finish()
        for await question in questions { question.answer.fail(AgentTokenRefused(reason: "the tunnel server is stopping")) }
    }

    private func answer(_ question: Question) async {
        do {
            let review = TokenReview(
                metadata: ObjectMeta(), spec: TokenReviewSpec(token: question.token, audiences: [account.audience]))
            let status = try await client.create(review).status
            if let refusal = account.refusal(of: status) { throw AgentTokenRefused(reason: refusal) }
            question.answer.succeed()
        } catch let error as AgentTokenRefused {
            question.answer.fail(error)
        } catch {
            question.answer.fail(AgentTokenRefused(reason: "the API could not be asked: \(error)"))
        }
    }
}
