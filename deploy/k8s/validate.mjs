// Reads the manifests that are named as arguments, validates them, and writes objects.ts for the check of their fields.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const packages = { 'external-secrets.io': '@kubernetes-models/external-secrets/', 'argoproj.io': '@kubernetes-models/argo-cd/' };
const types = [];

for (const file of process.argv.slice(2)) {
  const objects = parseAllDocuments(readFileSync(file, 'utf8')).map(document => document.toJS());
  for (const object of objects) {
    const group = object.apiVersion.split('/')[0];
    const path = (packages[group] ?? 'kubernetes-models/') + object.apiVersion;
    const models = await import(path);
    assert.ok(models[object.kind], `${object.apiVersion} has no kind ${object.kind}`);
    new models[object.kind](object).validate();
    types.push([path, object.kind, object]);
  }
  checkPods(file, objects);
  if (objects.some(object => object.kind === 'Deployment')) checkRollout(objects);
  console.log(`${basename(file)}: ${objects.length} objects are valid`);
}

writeFileSync(`${dirname(fileURLToPath(import.meta.url))}/objects.ts`, types.map(([path, kind, object], i) =>
  `import type { I${kind} as T${i} } from '${path}';\nexport const o${i}: T${i} = ${JSON.stringify(object)};\n`).join(''));

function podOf(object) {
  return object.spec?.jobTemplate?.spec.template ?? object.spec?.template;
}

// The restricted standard of pod security, resources, and no literal secret.
function checkPods(file, objects) {
  for (const object of objects.filter(object => ['Deployment', 'Job', 'CronJob'].includes(object.kind))) {
    const pod = podOf(object).spec;
    const where = `${basename(file)}, ${object.kind} ${object.metadata.name}`;
    assert.equal(pod.securityContext.runAsNonRoot, true, where);
    assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault', where);
    assert.equal(pod.automountServiceAccountToken, false, where);
    for (const container of [...pod.initContainers ?? [], ...pod.containers]) {
      assert.deepEqual(container.securityContext,
        { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }, where);
      assert.ok(container.resources.requests && container.resources.limits.memory, `${where}: resources`);
      assert.match(container.image, /[:@]/, `${where}: the image has no tag`);
      for (const { name, value } of container.env) {
        assert.ok(!/KEY|DB|PASSWORD|TOKEN/.test(name) || value === undefined, `${where}: ${name} must come from a secret`);
      }
    }
  }
}

function checkRollout(objects) {
  const find = (kind, name = 'catalog') => objects.find(object => object.kind === kind && object.metadata.name === name);
  const wave = object => Number(object.metadata.annotations['argocd.argoproj.io/sync-wave']);
  const deployment = find('Deployment'), job = find('Job', 'catalog-migrate'), pod = deployment.spec.template;

  assert.ok(wave(find('ServiceAccount')) < wave(job) && wave(job) < wave(deployment), 'the Job runs before the Deployment');
  assert.equal(job.metadata.annotations['argocd.argoproj.io/hook'], 'Sync');
  assert.equal(job.metadata.annotations['argocd.argoproj.io/hook-delete-policy'], 'BeforeHookCreation');
  assert.equal(deployment.spec.strategy.rollingUpdate.maxUnavailable, 0);
  assert.equal(pod.spec.volumes, undefined, 'the service has no volume');
  assert.equal(pod.spec.containers.length, 1, 'the service has no sidecar');
  const [api] = pod.spec.containers;
  assert.equal(api.readinessProbe.httpGet.path, '/ready');
  assert.equal(api.livenessProbe.httpGet.path, '/health');
  assert.equal(api.startupProbe.httpGet.path, '/health');
  // The pause before the stop, the 25 seconds for running requests, and some more.
  assert.ok(pod.spec.terminationGracePeriodSeconds >= api.lifecycle.preStop.sleep.seconds + 30);
  // One tag for the program and its schema.
  assert.deepEqual([...new Set([...job.spec.template.spec.initContainers, ...job.spec.template.spec.containers].map(c => c.image))], [api.image]);

  const selects = (selector, labels) => Object.entries(selector).every(([name, value]) => labels[name] === value);
  for (const selector of [
    deployment.spec.selector.matchLabels, find('Service').spec.selector, find('PodDisruptionBudget').spec.selector.matchLabels,
    ...pod.spec.topologySpreadConstraints.map(constraint => constraint.labelSelector.matchLabels)]) {
    assert.ok(selects(selector, pod.metadata.labels) && !selects(selector, job.spec.template.metadata.labels), JSON.stringify(selector));
  }
  for (const object of objects.filter(podOf)) {
    assert.ok(selects(find('NetworkPolicy').spec.podSelector.matchLabels, podOf(object).metadata.labels), object.metadata.name);
  }
  const autoscaler = find('HorizontalPodAutoscaler');
  assert.ok((autoscaler === undefined) === (deployment.spec.replicas !== undefined), 'replicas or an autoscaler');
}
