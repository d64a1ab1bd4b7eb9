import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** A registry that has of each package the versions that are installed here, so that nothing is fetched from elsewhere. */
export interface LocalRegistry extends AsyncDisposable {
  readonly url: string;
}

export async function startRegistry(directory: string): Promise<LocalRegistry> {
  const packed = new Map<string, Buffer>();
  const tarballOf = (place: string): Buffer => {
    const known = packed.get(place) ?? packInstalled(place, directory);
    packed.set(place, known);
    return known;
  };
  const server = http.createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname.slice(1));
    const [name = '', file] = asked.split('/-/');
    const places = placesOf(name);
    const place = places.find((one) => file === `${versionOf(one)}.tgz`);
    if (place !== undefined)
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarballOf(place));
    else if (file === undefined && places.length > 0) {
      const versions = places.map((one) => manifestOf(one, { tarball: tarballOf(one), url: `${urlOf()}${name}/-/` }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(packument(name, versions));
    } else response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
  });
  const urlOf = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: urlOf(),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Where the versions of a package lie, the one that most others use first. */
function placesOf(name: string): readonly string[] {
  const { packages } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>;
  };
  const places = Object.keys(packages).filter((place) => place.endsWith(`node_modules/${name}`));
  const installed = places.filter((place) => fs.existsSync(path.join(ROOT, place, 'package.json')));
  return installed.toSorted((one, other) => one.length - other.length);
}

function packInstalled(place: string, directory: string): Buffer {
  const staged = fs.mkdtempSync(path.join(directory, 'packed-'));
  fs.cpSync(path.join(ROOT, place), path.join(staged, 'package'), { recursive: true });
  fs.rmSync(path.join(staged, 'package', 'node_modules'), { recursive: true, force: true });
  return execFileSync('tar', ['-czf', '-', '-C', staged, 'package'], { maxBuffer: 64 * 1024 * 1024 });
}

interface Manifest {
  readonly version: string;
}

function read(place: string): Manifest {
  return JSON.parse(fs.readFileSync(path.join(ROOT, place, 'package.json'), 'utf8')) as Manifest;
}

function versionOf(place: string): string {
  return read(place).version;
}

function manifestOf(place: string, { tarball, url }: { readonly tarball: Buffer; readonly url: string }): Manifest {
  const manifest = read(place);
  const dist = {
    tarball: `${url}${manifest.version}.tgz`,
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    shasum: createHash('sha1').update(tarball).digest('hex'),
  };
  return { ...manifest, dist } as Manifest;
}

function packument(name: string, manifests: readonly Manifest[]): string {
  const versions = Object.fromEntries(manifests.map((manifest) => [manifest.version, manifest]));
  const time = Object.fromEntries(Object.keys(versions).map((version) => [version, '2020-01-01T00:00:00.000Z']));
  return JSON.stringify({ name, 'dist-tags': { latest: manifests[0]?.version }, time, versions });
}
