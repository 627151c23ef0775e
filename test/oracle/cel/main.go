// Command cel evaluates CEL expressions as the Kubernetes API server does, one JSON request a line on stdin,
// one JSON answer a line on stdout: the reference that fuzz.ts holds our implementation against.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"

	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

type request struct {
	Expr string `json:"expr"`
	// Variables by name: {"type": "list(int)", "value": ...}
	Vars map[string]variable `json:"vars"`
}

type variable struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

type answer struct {
	// Errors of parsing, checking and planning.
	Compile string `json:"compile,omitempty"`
	Plan    string `json:"plan,omitempty"`
	Type    string `json:"type,omitempty"`
	Error   string `json:"error,omitempty"`
	Value   any    `json:"value,omitempty"`
	Cost    uint64 `json:"cost"`
	// Another evaluation came to something else.
	Unstable bool   `json:"unstable,omitempty"`
	Min      string `json:"min,omitempty"`
	Max      string `json:"max,omitempty"`
}

// Strings, bytes, lists and maps of unknown size have up to 100 elements.
type sizes struct{}

func (sizes) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	switch node.Type().Kind() {
	case types.StringKind, types.BytesKind, types.ListKind, types.MapKind, types.DynKind:
		return &checker.SizeEstimate{Min: 0, Max: 100}
	}
	return nil
}

func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// Allows get, fails on error, has no opinion otherwise; the reason says what was asked.
type describing struct{}

func (describing) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	fields, fieldErr := a.GetFieldSelector()
	labels, labelErr := a.GetLabelSelector()
	reason := fmt.Sprintf("%s %v %s %v %q %q %q %q %q %q fields=%d/%v labels=%d/%v", a.GetUser().GetName(), a.GetUser().GetGroups(), a.GetVerb(),
		a.IsResourceRequest(), a.GetPath(), a.GetAPIGroup(), a.GetResource(), a.GetSubresource(), a.GetNamespace(), a.GetName(),
		len(fields), fieldErr != nil, len(labels), labelErr != nil)
	switch a.GetVerb() {
	case "get":
		return authorizer.DecisionAllow, reason, nil
	case "error":
		return authorizer.DecisionNoOpinion, reason, errors.New("it failed")
	case "deny":
		return authorizer.DecisionDeny, reason, nil
	}
	return authorizer.DecisionNoOpinion, reason, nil
}

var typeNames = map[string]*cel.Type{
	"int": cel.IntType, "uint": cel.UintType, "double": cel.DoubleType, "string": cel.StringType, "bool": cel.BoolType,
	"bytes": cel.BytesType, "dyn": cel.DynType, "timestamp": cel.TimestampType, "duration": cel.DurationType,
	"authorizer": library.AuthorizerType,
}

func typeOf(name string) *cel.Type {
	if t, ok := typeNames[name]; ok {
		return t
	}
	inner := name[strings.Index(name, "(")+1 : len(name)-1]
	if strings.HasPrefix(name, "list(") {
		return cel.ListType(typeOf(inner))
	}
	comma := strings.Index(inner, ",")
	return cel.MapType(typeOf(inner[:comma]), typeOf(strings.TrimSpace(inner[comma+1:])))
}

// JSON as the API server holds unstructured objects: whole numbers are int64.
func decode(raw json.RawMessage) any {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	return plain(value)
}

func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return value
}

func input(v variable) any {
	if v.Type == "authorizer" {
		return library.NewAuthorizerVal(&user.DefaultInfo{Name: "alice", Groups: []string{"devs"}}, describing{})
	}
	value := decode(v.Value)
	switch v.Type {
	case "uint":
		return uint64(value.(int64))
	case "double":
		switch n := value.(type) {
		case int64:
			return float64(n)
		case string:
			f, _ := strconv.ParseFloat(n, 64)
			return f
		}
	case "bytes":
		b, _ := base64.StdEncoding.DecodeString(value.(string))
		return b
	case "timestamp":
		return types.String(value.(string)).ConvertToType(types.TimestampType)
	case "duration":
		return types.String(value.(string)).ConvertToType(types.DurationType)
	}
	return value
}

func encode(value ref.Val) any {
	switch v := value.(type) {
	case types.Bool:
		return bool(v)
	case types.Null:
		return map[string]any{"null": true}
	case types.String:
		return string(v)
	case types.Int:
		return map[string]any{"int": strconv.FormatInt(int64(v), 10)}
	case types.Uint:
		return map[string]any{"uint": strconv.FormatUint(uint64(v), 10)}
	case types.Double:
		return map[string]any{"double": formatDouble(float64(v))}
	case types.Bytes:
		return map[string]any{"bytes": base64.StdEncoding.EncodeToString([]byte(v))}
	case types.Timestamp:
		return map[string]any{"timestamp": fmt.Sprintf("%d.%09d", v.Unix(), v.Nanosecond())}
	case types.Duration:
		return map[string]any{"duration": strconv.FormatInt(int64(v.Duration), 10)}
	case *types.Optional:
		if !v.HasValue() {
			return map[string]any{"optional": "none"}
		}
		return map[string]any{"optional": encode(v.GetValue())}
	case *types.Type:
		return map[string]any{"type": v.TypeName()}
	case *types.Err:
		return map[string]any{"error": v.Error()}
	case traits.Lister:
		items := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			items = append(items, encode(it.Next()))
		}
		return map[string]any{"list": items}
	case traits.Mapper:
		entries := [][2]string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, [2]string{text(encode(key)), text(encode(v.Get(key)))})
		}
		sort.Slice(entries, func(i, j int) bool { return entries[i][0] < entries[j][0] })
		return map[string]any{"map": entries}
	case apiservercel.URL:
		return map[string]any{"kubernetes.URL": v.URL.String()}
	case apiservercel.Quantity:
		return map[string]any{"kubernetes.Quantity": v.Quantity.String()}
	case *apiservercel.Quantity:
		return map[string]any{"kubernetes.Quantity": v.Quantity.String()}
	case apiservercel.Semver:
		return map[string]any{"kubernetes.Semver": v.Version.String()}
	case apiservercel.IP:
		return map[string]any{"net.IP": v.Addr.String()}
	case apiservercel.CIDR:
		return map[string]any{"net.CIDR": v.Prefix.String()}
	}
	return map[string]any{value.Type().TypeName(): true}
}

func text(value any) string {
	out, _ := json.Marshal(value)
	return string(out)
}

func formatDouble(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Sprint(f)
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

func evaluate(base *cel.Env, line request) (out answer) {
	// Some expressions make cel-go panic.
	defer func() {
		if failure := recover(); failure != nil {
			out.Unstable = true
		}
	}()
	options := []cel.EnvOption{}
	activation := map[string]any{}
	for name, v := range line.Vars {
		options = append(options, cel.Variable(name, typeOf(v.Type)))
		activation[name] = input(v)
	}
	env, err := base.Extend(options...)
	if err != nil {
		panic(err)
	}
	ast, issues := env.Compile(line.Expr)
	if issues.Err() != nil {
		out.Compile = issues.Err().Error()
		return out
	}
	out.Type = ast.OutputType().String()
	estimator := &library.CostEstimator{SizeEstimator: sizes{}}
	if estimate, err := env.EstimateCost(ast, estimator); err == nil {
		out.Min, out.Max = strconv.FormatUint(estimate.Min, 10), strconv.FormatUint(estimate.Max, 10)
	}
	program, err := env.Program(ast)
	if err != nil {
		out.Plan = err.Error()
		return out
	}
	first := run(program, activation)
	for range 5 {
		// Go walks maps in an order of its own each time.
		if text(run(program, activation)) != text(first) {
			out.Unstable = true
		}
	}
	out.Cost, out.Error, out.Value = first.Cost, first.Error, first.Value
	return out
}

func run(program cel.Program, activation map[string]any) answer {
	var out answer
	value, details, err := program.Eval(activation)
	if details != nil && details.ActualCost() != nil {
		out.Cost = *details.ActualCost()
	}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Value = encode(value)
	return out
}

func main() {
	minor := uint(36)
	if len(os.Args) > 1 {
		parsed, _ := strconv.Atoi(os.Args[1])
		minor = uint(parsed)
	}
	set := environment.MustBaseEnvSet(version.MajorMinor(1, minor))
	base, err := set.StoredExpressionsEnv().Extend(library.JSONPatch(), ext.Bindings(), ext.Math(), ext.Encoders())
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<28)
	writer := bufio.NewWriter(os.Stdout)
	defer writer.Flush()
	for lines.Scan() {
		var line request
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			panic(err)
		}
		fmt.Fprintln(writer, text(evaluate(base, line)))
		writer.Flush()
	}
}
