// Command informer follows a kind with an untyped informer, and ConfigMaps with a typed one. It prints a line for each
// thing it sees: "synced", "added NAME", "updated NAME VALUE", "deleted NAME", with "configmap" before the typed ones.
// Usage: informer KUBECONFIG NAMESPACE GROUP/VERSION/PLURAL
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err)
	namespace, resource := os.Args[2], strings.Split(os.Args[3], "/")
	kind := schema.GroupVersionResource{Group: resource[0], Version: resource[1], Resource: resource[2]}

	untyped := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(config), 0, namespace, nil)
	objects := untyped.ForResource(kind).Informer()
	objects.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { fmt.Println("added", name(object)) },
		UpdateFunc: func(_, object any) {
			size, _, _ := unstructured.NestedFieldNoCopy(object.(*unstructured.Unstructured).Object, "spec", "size")
			fmt.Println("updated", name(object), size)
		},
		DeleteFunc: func(object any) { fmt.Println("deleted", name(object)) },
	})

	typed := informers.NewSharedInformerFactoryWithOptions(kubernetes.NewForConfigOrDie(config), 0, informers.WithNamespace(namespace))
	configMaps := typed.Core().V1().ConfigMaps().Informer()
	configMaps.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { fmt.Println("configmap added", name(object)) },
		UpdateFunc: func(_, object any) {
			fmt.Println("configmap updated", name(object), object.(*corev1.ConfigMap).Data["x"])
		},
		DeleteFunc: func(object any) { fmt.Println("configmap deleted", name(object)) },
	})

	stop := make(chan struct{})
	untyped.Start(stop)
	typed.Start(stop)
	if !cache.WaitForCacheSync(stop, objects.HasSynced, configMaps.HasSynced) {
		os.Exit(1)
	}
	fmt.Println("synced")
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
	close(stop)
}

func name(object any) string {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	check(err)
	return key[strings.Index(key, "/")+1:]
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
