import type { HealthControl } from './health-control.ts';
import { answerJson } from './http.ts';
import type { Endpoint } from './routes.ts';

/** `/health/detailed`: all that the gateway depends on. 503 where a client would find nothing here, 200 otherwise. */
export function healthEndpoint(health: HealthControl): Record<string, Endpoint> {
  return {
    '/health/detailed': {
      GET: (_, response) => {
        const report = health.report();
        answerJson(response, report.status === 'down' ? 503 : 200, report);
      },
    },
  };
}
