// standin does the work of a host's controllers and kubelets, and of each tenant's etcd and API server, without doing any: what is to
// run is said to run at once, and what a tenant's control plane is asked is answered with the least that lets who asks go on. So what
// the operator itself uses can be weighed on a bare kube-apiserver. Standard library only.
//
//	standin -server https://127.0.0.1:16443 -ca ca.crt -token TOKEN [-silent]
//
// Every address of the host's Services has to lead to this computer (ip route add local 10.96.0.0/16 dev lo): who is meant is known by
// the address that was dialled. GET http://127.0.0.1:8099/ tells how many TLS connections each kind of server has had.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type object = map[string]interface{}

const ours = "labelSelector=nestbox.dev%2Fcluster-uid"

var (
	server = flag.String("server", "", "the host's API server")
	token  = flag.String("token", "", "a token of its admin")
	host   http.Client
)

func main() {
	authority := flag.String("ca", "", "the file of its CA")
	silent := flag.Bool("silent", false, "pods run, but nobody answers in the tenants' names")
	flag.Parse()
	pem, err := os.ReadFile(*authority)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	host.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}

	if !*silent {
		go follow("/api/v1/services", learnAddress)
		go serve("etcd", ":2379", "etcd-0", "etcd", "server", http.HandlerFunc(etcd))
		go serve("api", ":6443", "kube-apiserver", "kube-apiserver", "tls", http.HandlerFunc(tenant))
	}
	go follow("/apis/apps/v1/deployments", runDeployment)
	go follow("/apis/apps/v1/statefulsets", runStatefulSet)
	log.Fatal(http.ListenAndServe("127.0.0.1:8099", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "etcd %d api %d\n", handshakes["etcd"].Load(), handshakes["api"].Load())
	})))
}

// The host: objects as they come and change, and what a controller and a kubelet would say of them.

func ask(method, path, kind string, body object) (object, int, error) {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, 0, err
		}
		reader = strings.NewReader(string(text))
	}
	request, err := http.NewRequest(method, *server+path, reader)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+*token)
	request.Header.Set("Content-Type", kind)
	answer, err := host.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	var value object
	return value, answer.StatusCode, decode(answer.Body, &value)
}

func decode(from io.Reader, into *object) error { return json.NewDecoder(from).Decode(into) }

func must(method, path, kind string, body object) object {
	value, status, err := ask(method, path, kind, body)
	if err == nil && status >= 300 && status != http.StatusConflict {
		err = fmt.Errorf("%d %v", status, value["message"])
	}
	if err != nil {
		log.Printf("%s %s: %v", method, path, err)
	}
	return value
}

// follow lists what is of tenants' control planes and watches it, for ever.
func follow(path string, handle func(object)) {
	for {
		list, status, err := ask("GET", path+"?"+ours, "", nil)
		if err != nil || status != http.StatusOK {
			log.Printf("list of %s: %d %v", path, status, err)
			time.Sleep(time.Second)
			continue
		}
		items, _ := list["items"].([]interface{})
		for _, item := range items {
			handle(item.(object))
		}
		version := text(list, "metadata", "resourceVersion")
		request, _ := http.NewRequest("GET", *server+path+"?watch=true&resourceVersion="+version+"&"+ours, nil)
		request.Header.Set("Authorization", "Bearer "+*token)
		answer, err := host.Do(request)
		if err != nil {
			log.Printf("watch of %s: %v", path, err)
			time.Sleep(time.Second)
			continue
		}
		events := json.NewDecoder(answer.Body)
		for {
			var event struct {
				Type   string
				Object object
			}
			if events.Decode(&event) != nil {
				break
			}
			if event.Type == "ADDED" || event.Type == "MODIFIED" {
				handle(event.Object)
			}
		}
		answer.Body.Close()
	}
}

func at(from object, path ...string) object {
	for _, name := range path {
		from, _ = from[name].(object)
	}
	return from
}

func text(from object, path ...string) string {
	value, _ := at(from, path[:len(path)-1]...)[path[len(path)-1]].(string)
	return value
}

func number(from object, path ...string) int {
	value, _ := at(from, path[:len(path)-1]...)[path[len(path)-1]].(float64)
	return int(value)
}

// isDone tells whether its status is of this generation already.
func isDone(from object) bool {
	return number(from, "status", "observedGeneration") == number(from, "metadata", "generation")
}

func runDeployment(deployment object) {
	if isDone(deployment) {
		return
	}
	namespace, name, replicas := text(deployment, "metadata", "namespace"), text(deployment, "metadata", "name"), number(deployment, "spec", "replicas")
	for index := 0; index < replicas; index++ {
		runPod(namespace, fmt.Sprintf("%s-standin-%d", name, index), at(deployment, "spec", "template"), nil)
	}
	say("/apis/apps/v1/namespaces/"+namespace+"/deployments/"+name, object{
		"observedGeneration": number(deployment, "metadata", "generation"), "replicas": replicas, "updatedReplicas": replicas,
		"readyReplicas": replicas, "availableReplicas": replicas,
	})
}

func runStatefulSet(set object) {
	if isDone(set) {
		return
	}
	namespace, name, replicas := text(set, "metadata", "namespace"), text(set, "metadata", "name"), number(set, "spec", "replicas")
	for index := 0; index < replicas; index++ {
		pod := fmt.Sprintf("%s-%d", name, index)
		claim := at(set, "spec")["volumeClaimTemplates"].([]interface{})[0].(object)
		must("POST", "/api/v1/namespaces/"+namespace+"/persistentvolumeclaims", "application/json", object{
			"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": object{"name": "data-" + pod}, "spec": claim["spec"],
		})
		data := object{"name": "data", "persistentVolumeClaim": object{"claimName": "data-" + pod}}
		runPod(namespace, pod, at(set, "spec", "template"), data)
	}
	say("/apis/apps/v1/namespaces/"+namespace+"/statefulsets/"+name, object{
		"observedGeneration": number(set, "metadata", "generation"), "replicas": replicas, "updatedReplicas": replicas,
		"currentReplicas": replicas, "readyReplicas": replicas,
	})
}

// runPod makes a pod and says that it is ready.
func runPod(namespace, name string, template object, volume object) {
	spec := object{}
	for key, value := range at(template, "spec") {
		spec[key] = value
	}
	if volume != nil {
		volumes, _ := spec["volumes"].([]interface{})
		spec["volumes"] = append(append([]interface{}{}, volumes...), volume)
	}
	metadata := object{"name": name, "labels": at(template, "metadata")["labels"], "annotations": at(template, "metadata")["annotations"]}
	must("POST", "/api/v1/namespaces/"+namespace+"/pods", "application/json", object{
		"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec,
	})
	now := time.Now().UTC().Format(time.RFC3339)
	var statuses []object
	for _, container := range spec["containers"].([]interface{}) {
		statuses = append(statuses, object{
			"name": text(container.(object), "name"), "image": text(container.(object), "image"), "imageID": "", "ready": true, "restartCount": 0,
			"state": object{"running": object{"startedAt": now}},
		})
	}
	say("/api/v1/namespaces/"+namespace+"/pods/"+name, object{
		"phase": "Running", "containerStatuses": statuses,
		"conditions": []object{{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}},
	})
}

func say(path string, status object) {
	must("PATCH", path+"/status", "application/merge-patch+json", object{"status": status})
}

// The tenants: servers that are known by the address of their Service.

var (
	handshakes = map[string]*atomic.Int64{"etcd": {}, "api": {}}
	// From "SERVICE ADDRESS" to the namespace.
	namespaces sync.Map
	// From "SECRET NAMESPACE" to what it holds.
	certificates sync.Map
)

func learnAddress(service object) {
	namespaces.Store(text(service, "metadata", "name")+" "+text(service, "spec", "clusterIP"), text(service, "metadata", "namespace"))
}

// namespaceOf is the control plane's, by the address that was dialled.
func namespaceOf(service string, address net.Addr) (string, error) {
	ip, _, err := net.SplitHostPort(address.String())
	if err != nil {
		return "", err
	}
	namespace, known := namespaces.Load(service + " " + ip)
	if !known {
		return "", fmt.Errorf("no Service %s has the address %s", service, ip)
	}
	return namespace.(string), nil
}

func serve(kind, address, service, secret, file string, handler http.Handler) {
	count := handshakes[kind]
	configuration := &tls.Config{
		// So that the client proves itself, as it has to with the real ones; who it is matters to nobody.
		ClientAuth: tls.RequireAnyClientCert,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			count.Add(1)
			namespace, err := namespaceOf(service, hello.Conn.LocalAddr())
			if err != nil {
				return nil, err
			}
			return certificate(namespace, secret, file)
		},
	}
	log.Fatal((&http.Server{Addr: address, TLSConfig: configuration, Handler: handler, ErrorLog: log.Default()}).ListenAndServeTLS("", ""))
}

func certificate(namespace, secret, file string) (*tls.Certificate, error) {
	if known, is := certificates.Load(secret + " " + namespace); is {
		return known.(*tls.Certificate), nil
	}
	answer, status, err := ask("GET", "/api/v1/namespaces/"+namespace+"/secrets/"+secret, "", nil)
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("Secret %s of %s: %d %v", secret, namespace, status, err)
	}
	var parts [2][]byte
	for index, name := range []string{file + ".crt", file + ".key"} {
		if parts[index], err = base64.StdEncoding.DecodeString(text(answer, "data", name)); err != nil {
			return nil, err
		}
	}
	pair, err := tls.X509KeyPair(parts[0], parts[1])
	if err != nil {
		return nil, err
	}
	certificates.Store(secret+" "+namespace, &pair)
	return &pair, nil
}

func reply(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// etcd is the JSON gateway of a lone member that is well.
func etcd(w http.ResponseWriter, request *http.Request) {
	namespace, err := namespaceOf("etcd-0", request.Context().Value(http.LocalAddrContextKey).(net.Addr))
	if err != nil {
		reply(w, http.StatusInternalServerError, object{"message": err.Error()})
		return
	}
	id := fnv.New64a()
	id.Write([]byte(namespace))
	header := object{"cluster_id": fmt.Sprint(id.Sum64()), "member_id": "1", "revision": "1", "raft_term": "2"}
	switch request.URL.Path {
	case "/v3/maintenance/status":
		reply(w, http.StatusOK, object{"header": header, "version": "3.4.23", "dbSize": "24576", "dbSizeInUse": "20480", "leader": "1"})
	case "/v3/cluster/member/list":
		member := object{"ID": "1", "name": "etcd-0", "peerURLs": []string{"https://etcd-0:2380"}, "clientURLs": []string{"https://etcd-0:2379"}}
		reply(w, http.StatusOK, object{"header": header, "members": []object{member}})
	case "/v3/maintenance/alarm":
		reply(w, http.StatusOK, object{"header": header})
	default:
		reply(w, http.StatusNotFound, object{"message": "the stand-in knows no " + request.URL.Path})
	}
}

// tenant is an API server that takes what it is given and has nothing.
func tenant(w http.ResponseWriter, request *http.Request) {
	body := object{}
	if request.Method != http.MethodGet && request.Method != http.MethodDelete {
		if err := decode(request.Body, &body); err != nil {
			reply(w, http.StatusBadRequest, object{"kind": "Status", "message": err.Error(), "code": http.StatusBadRequest})
			return
		}
	}
	switch {
	case request.URL.Query().Get("watch") == "true":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-request.Context().Done()
	case request.Method == http.MethodGet && isCollection(request.URL.Path):
		reply(w, http.StatusOK, object{"kind": "List", "apiVersion": "v1", "metadata": object{"resourceVersion": "1"}, "items": []object{}})
	case request.Method == http.MethodGet || request.Method == http.MethodDelete:
		reply(w, http.StatusNotFound, object{"kind": "Status", "status": "Failure", "reason": "NotFound", "code": http.StatusNotFound})
	default:
		metadata, _ := body["metadata"].(object)
		if metadata == nil {
			metadata = object{}
		}
		metadata["resourceVersion"], metadata["uid"], metadata["generation"] = "2", "00000000-0000-0000-0000-000000000000", 1
		body["metadata"] = metadata
		reply(w, http.StatusOK, body)
	}
}

// isCollection tells /api/v1/nodes and /apis/G/V/namespaces/N/leases from one object.
func isCollection(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	skipped := 3
	if parts[0] == "api" {
		skipped = 2
	}
	if len(parts) <= skipped {
		return false
	}
	if parts = parts[skipped:]; len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	return len(parts) == 1
}
