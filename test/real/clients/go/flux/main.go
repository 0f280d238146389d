// Command flux does with manifests what Flux's engine does. It prints a line for each object: "apply KIND/NAMESPACE/NAME
// ACTION", where the action is created, configured, unchanged or deleted; for diff, drift is "configured".
// Usage: flux KUBECONFIG apply|diff|delete FILE
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	ssautils "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

func main() {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err)
	http, err := rest.HTTPClientFor(config)
	check(err)
	mapper, err := apiutil.NewDynamicRESTMapper(config, http)
	check(err)
	api, err := client.New(config, client.Options{Mapper: mapper})
	check(err)
	manager := ssa.NewResourceManager(api, polling.NewStatusPoller(api, mapper, polling.Options{}), ssa.Owner{Field: "flux", Group: "flux.skystead.test"})

	text, err := os.ReadFile(os.Args[3])
	check(err)
	objects, err := ssautils.ReadObjects(bytes.NewReader(text))
	check(err)
	check(normalize.UnstructuredList(objects))
	ctx := context.Background()
	switch os.Args[2] {
	case "apply":
		changes, err := manager.ApplyAllStaged(ctx, objects, ssa.DefaultApplyOptions())
		check(err)
		for _, entry := range changes.Entries {
			fmt.Println("apply", entry.Subject, entry.Action)
		}
	case "diff":
		for _, object := range objects {
			entry, _, _, err := manager.Diff(ctx, object, ssa.DefaultDiffOptions())
			check(err)
			fmt.Println("diff", entry.Subject, entry.Action)
		}
	case "delete":
		changes, err := manager.DeleteAll(ctx, objects, ssa.DefaultDeleteOptions())
		check(err)
		for _, entry := range changes.Entries {
			fmt.Println("delete", entry.Subject, entry.Action)
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
