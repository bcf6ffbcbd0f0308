"""`deploy`: registers the task definition, creates the deployment, and waits until its gate asks."""

from functools import partial

from switchgate_pipeline.api import api_of
from switchgate_pipeline.codedeploy import Aws, appspec_of
from switchgate_pipeline.inputs import Inputs
from switchgate_pipeline.job import Job
from switchgate_pipeline.markdown import plain, table
from switchgate_pipeline.progress import FAILURES, Stage
from switchgate_pipeline.sentences import failure_of, state_sentence
from switchgate_pipeline.supersede import supersede_of
from switchgate_pipeline.task_definition import read_task_definition, tags_of, with_image
from switchgate_pipeline.watch import Watch


def deploy(inputs: Inputs, job: Job) -> None:
    """Outputs `deployment-id` and `task-definition-arn`. Raises `PipelineFailure`."""
    aws, zone = Aws(), inputs.time_zone
    api = api_of(inputs.optional("API_URL"), inputs.optional("API_TOKEN"))
    deployment = _create(aws, inputs, job)
    watch = Watch(aws, api, inputs, job, deployment)
    seen = watch.until(
        lambda seen: seen.progress.stage is not Stage.STARTING and not seen.gate_is_coming,
        minutes=inputs.number("INSTALL_MINUTES", 20),
    )
    if seen is None:
        job.warn("Green is slow", "Green has not started in time; the next step goes on watching.")
        return
    if seen.progress.stage in FAILURES:
        raise failure_of(seen.progress.stage, seen.deployment, seen.gate)
    says = state_sentence(seen.progress, channel=inputs.optional("CHANNEL"), zone=zone)
    job.summarise(f"**{inputs.required('APPLICATION')}** {says}.")
    job.notice("Switchgate", f"{deployment} {says}")


def _create(aws: Aws, inputs: Inputs, job: Job) -> str:
    container, title = inputs.required("CONTAINER_NAME"), _first_line(inputs.optional("TITLE"))
    image = inputs.required("IMAGE")
    definition = with_image(
        read_task_definition(inputs.required("TASK_DEFINITION")), container=container, image=image
    )
    wanted = {
        "application": inputs.required("APPLICATION"),
        "group": inputs.required("DEPLOYMENT_GROUP"),
        "config": inputs.optional("DEPLOYMENT_CONFIG"),
    }
    hook, port = inputs.required("HOOK_FUNCTION"), inputs.port("CONTAINER_PORT")
    supersede = supersede_of(aws, inputs, job)
    task_definition = aws.register(definition, tags_of(inputs.environ, title=title))
    job.output("task-definition-arn", task_definition)
    job.say(f"Registered {task_definition}")
    create = partial(
        aws.create,
        **wanted,
        appspec=appspec_of(task_definition=task_definition, container=container, port=port, hook=hook),
        description=_description(inputs, title),
    )
    deployment = supersede.create(create) if supersede else create()
    job.output("deployment-id", deployment)
    job.say(f"Created {deployment}")
    job.summarise(
        table(
            {
                "deployment": f"`{deployment}`",
                "task definition": f"`{task_definition.rpartition('/')[2]}`",
                "image": f"`{image}`",
                "what": plain(title) or "—",
            }
        )
    )
    return deployment


def _description(inputs: Inputs, title: str) -> str:
    """What the card shows: what changes, and from which commit."""
    source = f"{inputs.optional('GITHUB_REPOSITORY')}@{inputs.optional('GITHUB_SHA')[:12]}".strip("@")
    actor = inputs.optional("GITHUB_ACTOR")
    return "\n".join(filter(None, [title[:120], source, f"github-actor={actor}" if actor else ""]))


def _first_line(text: str) -> str:
    """A commit's message begins with its title."""
    return text.splitlines()[0].strip() if text else ""
