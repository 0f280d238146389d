// Command manager runs a controller of controller-runtime: it copies the size that a thing wishes into a ConfigMap of the
// same name, which the thing owns, and calls the thing ready in its status. A finalizer holds until the ConfigMap is gone.
// It prints "started", and "reconciled NAME SIZE" and "finalized NAME".
// Usage: manager KUBECONFIG NAMESPACE GROUP
package main

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const finalizer = "skystead.test/manager"

func main() {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err)
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Metrics:                       server.Options{BindAddress: "0"},
		HealthProbeBindAddress:        "0",
		LeaderElection:                true,
		LeaderElectionID:              "manager." + os.Args[3],
		LeaderElectionNamespace:       os.Args[2],
		LeaderElectionReleaseOnCancel: true,
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{os.Args[2]: {}}},
	})
	check(err)
	kind := schema.GroupVersionKind{Group: os.Args[3], Version: "v1", Kind: "Thing"}
	thing := &unstructured.Unstructured{}
	thing.SetGroupVersionKind(kind)
	events := manager.GetEventRecorder("manager")
	reconciler := reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		thing := &unstructured.Unstructured{}
		thing.SetGroupVersionKind(kind)
		api := manager.GetClient()
		if err := api.Get(ctx, request.NamespacedName, thing); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		config := &corev1.ConfigMap{}
		config.SetName(thing.GetName())
		config.SetNamespace(thing.GetNamespace())
		if thing.GetDeletionTimestamp() != nil {
			err := api.Delete(ctx, config)
			if !errors.IsNotFound(err) {
				return reconcile.Result{RequeueAfter: 1}, err
			}
			controllerutil.RemoveFinalizer(thing, finalizer)
			fmt.Println("finalized", thing.GetName())
			return reconcile.Result{}, api.Update(ctx, thing)
		}
		if controllerutil.AddFinalizer(thing, finalizer) {
			if err := api.Update(ctx, thing); err != nil {
				return reconcile.Result{}, err
			}
		}
		size, _, _ := unstructured.NestedFieldNoCopy(thing.Object, "spec", "size")
		outcome, err := controllerutil.CreateOrUpdate(ctx, api, config, func() error {
			config.Data = map[string]string{"size": fmt.Sprint(size)}
			return controllerutil.SetControllerReference(thing, config, manager.GetScheme())
		})
		if err != nil {
			return reconcile.Result{}, err
		}
		if outcome == controllerutil.OperationResultNone {
			return reconcile.Result{}, nil
		}
		events.Eventf(thing, nil, corev1.EventTypeNormal, "Copied", "Copy", "The size %v was copied.", size)
		before := thing.DeepCopy()
		if err := unstructured.SetNestedField(thing.Object, true, "status", "ready"); err != nil {
			return reconcile.Result{}, err
		}
		fmt.Println("reconciled", thing.GetName(), size)
		return reconcile.Result{}, api.Status().Patch(ctx, thing, client.MergeFrom(before))
	})
	check(ctrl.NewControllerManagedBy(manager).For(thing).Owns(&corev1.ConfigMap{}).Complete(reconciler))
	check(manager.Add(started{}))
	check(manager.Start(ctrl.SetupSignalHandler()))
}

type started struct{}

func (started) Start(context.Context) error {
	fmt.Println("started")
	return nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
