// A kubelet that runs commands on this machine: enough of one for kubectl exec, attach, cp, logs and port-forward.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const idle, creation = 4 * time.Hour, 30 * time.Second

// Each container is a directory: its commands run there, and `.log` in it is its log.
type kubelet struct{ root string }

func main() {
	root := flag.String("root", "", "directory of the containers")
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	certificate := flag.String("tls-cert-file", "", "")
	key := flag.String("tls-private-key-file", "", "")
	clients := flag.String("client-ca-file", "", "authority of the API server's client certificate")
	flag.Parse()
	pem, err := os.ReadFile(*clients)
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	server := http.Server{
		Handler: kubelet{root: *root},
		// Upgrades need HTTP/1.1.
		TLSConfig: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, NextProtos: []string{"http/1.1"}},
	}
	log.Fatal(server.ServeTLS(listener, *certificate, *key))
}

// ServeHTTP answers /exec|attach|containerLogs/NAMESPACE/POD/CONTAINER and /portForward/NAMESPACE/POD.
func (k kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 3 {
		http.NotFound(w, r)
		return
	}
	directory := filepath.Join(k.root, parts[1], parts[2])
	if err := os.MkdirAll(directory, 0o700); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	protocols := remotecommand.SupportedStreamingProtocols
	switch parts[0] {
	case "exec", "attach":
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if parts[0] == "attach" {
			remotecommand.ServeAttach(w, r, k, directory, "", "", options, idle, creation, protocols)
			return
		}
		remotecommand.ServeExec(w, r, k, directory, "", "", r.URL.Query()["command"], options, idle, creation, protocols)
	case "portForward":
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(w, r, k, directory, "", options, idle, creation, portforward.SupportedProtocols)
	case "containerLogs":
		k.logs(w, r, filepath.Join(directory, ".log"))
	default:
		http.NotFound(w, r)
	}
}

func (k kubelet) ExecInContainer(ctx context.Context, directory, _, _ string, command []string, in io.Reader, out, errors_ io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = directory
	var err error
	if tty {
		err = runInTerminal(cmd, in, out, resize)
	} else {
		err = runPiped(cmd, in, out, errors_)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return utilexec.CodeExitError{Err: err, Code: exit.ExitCode()}
	}
	return err
}

// The process's end ends it, though the client may never close its input.
func runPiped(cmd *exec.Cmd, in io.Reader, out, errors_ io.Writer) error {
	if out != nil {
		cmd.Stdout = out
	}
	if errors_ != nil {
		cmd.Stderr = errors_
	}
	if in != nil {
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(stdin, in)
			_ = stdin.Close()
		}()
	}
	return cmd.Run()
}

// AttachContainer stands for a main process that says what it is told.
func (k kubelet) AttachContainer(_ context.Context, _, _, _ string, in io.Reader, out, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	if _, err := io.WriteString(out, "attached\n"); err != nil || in == nil {
		return err
	}
	_, err := io.Copy(out, in)
	return err
}

func (k kubelet) PortForward(_ context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

func (k kubelet) logs(w http.ResponseWriter, r *http.Request, file string) {
	log, err := os.Open(file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer log.Close()
	for {
		if _, err := io.Copy(w, log); err != nil || r.URL.Query().Get("follow") != "true" {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
