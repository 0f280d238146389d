"""What the official Python client does with the server. Prints one line of JSON: what it saw, by name.

Usage: client.py KUBECONFIG GROUP (whose kind Thing is installed)
"""

import json
import sys

import kubernetes
from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(sys.argv[1])
group = sys.argv[2]
core = client.CoreV1Api()
custom = client.CustomObjectsApi()
things = dict(group=group, version="v1", namespace="default", plural="things")
seen = {}


def thing(name, size):
    return {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"size": size}}


# Built-in kinds: strategic merge patches, selectors, pages.
for name in ("a", "b", "c"):
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"app": "x"}), data={"x": "1"})
    core.create_namespaced_config_map("default", body)
core.patch_namespaced_config_map("a", "default", {"data": {"y": "2"}})
seen["patched"] = core.read_namespaced_config_map("a", "default").data
page = core.list_namespaced_config_map("default", label_selector="app=x", limit=2)
rest = core.list_namespaced_config_map("default", label_selector="app=x", limit=2, _continue=page.metadata._continue)
seen["pages"] = [[item.metadata.name for item in each.items] for each in (page, rest)]

# Custom kinds: status, scale, conflicts, refusals.
made = custom.create_namespaced_custom_object(body=thing("a", 1), **things)
custom.patch_namespaced_custom_object_status(name="a", body={"status": {"ready": True}}, **things)
custom.patch_namespaced_custom_object_scale(name="a", body={"spec": {"replicas": 2}}, **things)
found = custom.get_namespaced_custom_object(name="a", **things)
seen["custom"] = [found["status"]["ready"], found["spec"]["replicas"], found["spec"]["mode"]]
for label, body in (("stale", {**made, "spec": {"size": 5}}), ("refused", {**found, "spec": {"size": 0}})):
    try:
        custom.replace_namespaced_custom_object(name="a", body=body, **things)
    except ApiException as error:
        seen[label] = [error.status, json.loads(error.body)["reason"]]

# Watches.
lines = []
stream = watch.Watch()
version = custom.list_namespaced_custom_object(**things)["metadata"]["resourceVersion"]
custom.create_namespaced_custom_object(body=thing("b", 1), **things)
custom.delete_namespaced_custom_object(name="b", **things)
for event in stream.stream(
    custom.list_namespaced_custom_object, resource_version=version, timeout_seconds=30, **things
):
    lines.append([event["type"], event["object"]["metadata"]["name"]])
    if event["type"] == "DELETED":
        stream.stop()
seen["watched"] = lines

# The dynamic client: kinds by discovery, server-side apply.
untyped = dynamic.DynamicClient(client.ApiClient())
kind = untyped.resources.get(api_version=f"{group}/v1", kind="Thing")
seen["discovered"] = [kind.name, kind.namespaced]
applied = thing("c", 3)
if int(kubernetes.__version__.split(".")[0]) >= 24:
    untyped.server_side_apply(kind, body=applied, name="c", namespace="default", field_manager="python")
else:
    # Before version 24 the client cannot send an apply.
    untyped.create(kind, body=applied, namespace="default", field_manager="python")
seen["applied"] = [entry["manager"] for entry in kind.get(name="c", namespace="default").metadata.managedFields]

# Access and definitions.
review = client.V1SelfSubjectAccessReview(
    spec=client.V1SelfSubjectAccessReviewSpec(
        resource_attributes=client.V1ResourceAttributes(verb="delete", resource="secrets")
    )
)
seen["allowed"] = client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed
definition = client.ApiextensionsV1Api().read_custom_resource_definition(f"things.{group}")
seen["definition"] = definition.spec.names.kind
seen["version"] = client.VersionApi().get_code().minor
print(json.dumps(seen))
