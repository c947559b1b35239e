import { nearest } from './nearest.js';

/** Read by the command line and by tests, not by the server. */
const READ_ELSEWHERE = /^HUB_(URL|KEY|TEST_.+)$/;

/**
 * Kubernetes gives every pod of a namespace the addresses of its services: a service named `hub` or
 * `hub-api` makes HUB_SERVICE_HOST, HUB_API_PORT_3000_TCP and so on. Nobody set those.
 */
const KUBERNETES_LINK = /_SERVICE_(HOST|PORT(_.+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;

/** One line for each HUB_* variable that means nothing, with the known name it is nearest to. */
export function unknownVariables(env: NodeJS.ProcessEnv, known: readonly string[]): string[] {
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith('HUB_') && value && !known.includes(name))
    .filter(([name, value]) => !READ_ELSEWHERE.test(name) && !isKubernetesLink(name, value ?? ''))
    .map(([name]) => {
      const meant = name === 'HUB_PORT' ? 'PORT' : nearest(name, known);
      return `${name}: not a variable of the hub.${meant ? ` Did you mean ${meant}?` : ' Remove it.'}`;
    });
}

function isKubernetesLink(name: string, value: string): boolean {
  return KUBERNETES_LINK.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value));
}
