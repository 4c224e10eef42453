/** Why a gateway cannot be looked at, in words for its user. */
export class TopFault extends Error {
  readonly code = 'WSLUICE_TOP';
  /** It may be otherwise soon, by itself. */
  readonly passing: boolean;

  constructor(message: string, { passing }: { readonly passing: boolean }) {
    super(message);
    this.passing = passing;
  }
}

const notWsluice =
  'what answers there is not the admin listener of wsluice (admin.port, not the port of clients)';

/** What the status of an answer says, where it is not the one asked for. */
export function faultOfStatus(status: number, hasToken: boolean, body: string): TopFault {
  const lasting = (message: string): TopFault => new TopFault(message, { passing: false });
  if (status === 401) {
    return lasting(
      hasToken ? 'it does not take this token' : 'it needs the token: --token, or WSLUICE_ADMIN_TOKEN',
    );
  }
  if (status === 403) {
    return lasting('without admin.token it is reached by an IP address, localhost or admin.host alone (403)');
  }
  const fault = faultsIn(body);
  if (fault === undefined) return lasting(`${notWsluice}: ${status}`);
  return new TopFault(`${fault} (${status})`, { passing: status === 503 });
}

/** What an error of the connection says; throws one that is of something else. */
export function faultOfError(error: unknown): TopFault {
  if (error instanceof TopFault) return error;
  if (!(error instanceof Error) || !('code' in error)) throw error;
  const code = String(error.code);
  if (code.startsWith('HPE_')) return new TopFault(notWsluice, { passing: false });
  const message = messages[code] ?? error.message;
  return new TopFault(message.includes(code) ? message : `${message} (${code})`, { passing: true });
}

/** What is no answer of a gateway at all. */
export function notAGateway(): TopFault {
  return new TopFault(notWsluice, { passing: false });
}

const messages: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection ended',
  EHOSTUNREACH: 'that host cannot be reached',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host cannot be looked up',
};

function faultsIn(body: string): string | undefined {
  try {
    const { faults } = JSON.parse(body) as { readonly faults?: unknown };
    return Array.isArray(faults) && typeof faults[0] === 'string' ? faults[0] : undefined;
  } catch {
    return undefined;
  }
}
