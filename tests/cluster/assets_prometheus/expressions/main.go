// Command expressions tells what PromQL expressions are about. It reads a JSON array of expressions
// and writes one of the same length, with the selectors of each, and the labels by which their series
// are grouped or matched.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

type matcher struct {
	Label string `json:"label"`
	Op    string `json:"op"`
	Value string `json:"value"`
}

type selector struct {
	Metric   string    `json:"metric"`
	Matchers []matcher `json:"matchers"`
}

// Labels that all series of these metrics have to have.
type grouping struct {
	Metrics []string `json:"metrics"`
	Labels  []string `json:"labels"`
}

type uses struct {
	Error     string     `json:"error,omitempty"`
	Selectors []selector `json:"selectors"`
	Groupings []grouping `json:"groupings"`
}

func main() {
	if len(os.Args) > 1 {
		return // only to see whether it starts
	}
	var expressions []string
	if err := json.NewDecoder(os.Stdin).Decode(&expressions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := make([]uses, len(expressions))
	for i, expression := range expressions {
		answers[i] = usesOf(expression)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		os.Exit(1)
	}
}

func usesOf(expression string) uses {
	found := uses{Selectors: []selector{}, Groupings: []grouping{}}
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		found.Error = err.Error()
		return found
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			found.Selectors = append(found.Selectors, selectorOf(node))
		case *parser.AggregateExpr:
			found.group(node.Expr, node.Grouping)
		case *parser.BinaryExpr:
			if node.VectorMatching != nil && node.VectorMatching.On {
				found.group(node, node.VectorMatching.MatchingLabels)
			}
		}
		return nil
	})
	return found
}

func (u *uses) group(below parser.Node, names []string) {
	if len(names) == 0 {
		return
	}
	metrics := []string{}
	parser.Inspect(below, func(node parser.Node, _ []parser.Node) error {
		if node, ok := node.(*parser.VectorSelector); ok {
			metrics = append(metrics, metricOf(node))
		}
		return nil
	})
	u.Groupings = append(u.Groupings, grouping{metrics, names})
}

func selectorOf(node *parser.VectorSelector) selector {
	it := selector{metricOf(node), []matcher{}}
	for _, each := range node.LabelMatchers {
		if each.Name != labels.MetricName {
			it.Matchers = append(it.Matchers, matcher{each.Name, each.Type.String(), each.Value})
		}
	}
	return it
}

func metricOf(node *parser.VectorSelector) string {
	for _, each := range node.LabelMatchers {
		if each.Name == labels.MetricName && each.Type == labels.MatchEqual {
			return each.Value
		}
	}
	return node.Name
}
