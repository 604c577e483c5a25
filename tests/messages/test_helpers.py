"""What the standard messages can do, and what they find invalid, table by table."""

import math

import numpy as np
import pytest

import horus


def test_clocks() -> None:
    """Speeds, pauses, and the time of another clock."""
    assert horus.Clock().sim_speed == 1.0
    assert horus.Clock(2_500_000_000).elapsed_since(horus.Clock(1_000_000_000)) == 1.5
    assert horus.Clock(source=horus.ClockSource.SIM).source is horus.ClockSource.SIM
    for wrong in ({"sim_speed": -1.0}, {"sim_speed": math.inf}, {"source": 7}):
        assert not horus.Clock(**wrong).is_valid()
    reference = horus.TimeReference(1_000, "gps", offset_ns=-50)
    assert reference.correct_timestamp(950) == 1_000
    assert not horus.SimSync(state=3).is_valid()
    assert horus.RateRequest("scan", 10.0, 5.0, 20.0).is_valid()
    assert not horus.RateRequest("scan", 10.0, 25.0, 20.0).is_valid()
    assert not horus.RateRequest("scan", math.nan).is_valid()


def test_signs_of_life() -> None:
    """Heartbeats, and what a safety controller sees."""
    assert horus.Heartbeat("arm", 3, sequence=1, alive=True, uptime=2.0).is_valid()
    assert not horus.Heartbeat(uptime=-1.0).is_valid()
    beat = horus.NodeHeartbeat(
        horus.HeartbeatState.RUNNING, horus.HealthStatus.WARNING, heartbeat_timestamp=100
    )
    assert (beat.state, beat.health, beat.is_valid()) == (2, 1, True)
    assert beat.is_fresh(2.0, 101.5)
    assert not beat.is_fresh(2.0, 103.0)
    assert not horus.NodeHeartbeat(state=6).is_valid()
    assert not horus.NodeHeartbeat(health=5).is_valid()
    well = {"enabled": True, "watchdog_ok": True, "limits_ok": True, "comms_ok": True}
    assert horus.SafetyStatus(**well).is_safe()
    assert not horus.SafetyStatus(**well, estop_engaged=True).is_safe()
    assert not horus.SafetyStatus(**well, fault_code=4).is_safe()
    assert not horus.SafetyStatus().is_safe()
    assert not horus.SafetyStatus(mode=3).is_valid()
    assert horus.ResourceUsage(cpu_percent=55).is_valid()
    assert not horus.ResourceUsage(memory_percent=101).is_valid()


def test_diagnostics() -> None:
    """Values keep their type as text; a report takes 16, and says which is one too many."""
    report = horus.DiagnosticReport("motor")
    for key, value in {"temperature": 41.5, "errors": 3, "on": True, "state": "warm"}.items():
        report.add(key, value)
    assert report.parsed() == {"temperature": 41.5, "errors": 3, "on": True, "state": "warm"}
    assert report.value_count == 4
    assert report.values[2].value_type is horus.DiagnosticValueType.BOOL
    assert report.is_valid()
    for number in range(12):
        report.add(str(number), number)
    with pytest.raises(ValueError, match="expected at most 16 values, got 'more'"):
        report.add("more", 1)
    with pytest.raises(ValueError, match=r"DiagnosticValue\.value: expected at most 63 bytes"):
        horus.DiagnosticValue.of("long", "x" * 64)
    for text, kind in (("abc", 1), ("abc", 2), ("yes", 3), ("1", 9)):
        assert not horus.DiagnosticValue("key", text, kind).is_valid()
    assert math.isnan(horus.DiagnosticValue.of("nothing", math.nan).parsed())
    assert not horus.DiagnosticStatus(level=4).is_valid()
    assert not horus.DiagnosticReport(value_count=17).is_valid()


def test_forces() -> None:
    """Limits, smoothing, presets."""
    wrench = horus.WrenchStamped(horus.Vector3(3, 4, 0), horus.Vector3(0, 0, 1))
    assert not wrench.exceeds_limits(5.0, 1.0)
    assert wrench.exceeds_limits(4.9, 1.0)
    assert wrench.exceeds_limits(5.0, 0.9)
    assert horus.WrenchStamped(horus.Vector3(math.nan)).exceeds_limits(5.0, 1.0)
    wrench.filter(horus.WrenchStamped(horus.Vector3(1, 0, 2)), 0.25)
    assert wrench.force == horus.Vector3(1.5, 1.0, 1.5)
    assert wrench.torque == horus.Vector3(0, 0, 0.25)
    with pytest.raises(ValueError, match="expected alpha from 0 to 1, got 2"):
        wrench.filter(wrench, 2)
    soft, hard = horus.ImpedanceParameters.compliant(), horus.ImpedanceParameters.stiff()
    for preset in (soft, hard):
        assert preset.enabled
        assert preset.is_valid()
        assert preset.damping == pytest.approx(2 * np.sqrt(preset.stiffness * preset.inertia))
    assert (soft.stiffness < hard.stiffness).all()
    assert not horus.ImpedanceParameters(damping=[-1, 0, 0, 0, 0, 0]).is_valid()
    command = horus.ForceCommand(force_mode=[1, 0, 0, 0, 0, 0], timeout_seconds=2.0)
    assert command.force_mode[0] is horus.AxisMode.FORCE
    assert command.is_valid()
    assert not horus.ForceCommand(force_mode=[2] * 6).is_valid()
    assert not horus.ForceCommand(gains=[-1.0] * 6).is_valid()


def test_touch() -> None:
    """Contacts, vibrations, and the skin of a finger."""
    assert horus.ContactInfo(horus.ContactState.SLIDING).is_in_contact()
    assert not horus.ContactInfo(horus.ContactState.LOSS).is_in_contact()
    assert not horus.ContactInfo(confidence=1.5).is_valid()
    assert horus.ContactInfo(normal=horus.Vector3(0, 1, 0)).is_valid()
    assert not horus.ContactInfo(normal=horus.Vector3(0, 1, 1)).is_valid()
    assert horus.HapticFeedback(0.5, 150.0, 0.2, pattern=horus.HapticPattern.PULSE).is_valid()
    assert not horus.HapticFeedback(1.5).is_valid()
    skin = horus.TactileArray.from_numpy(np.array([[0, 0, 2.0], [0, 0, 2.0]]), (0.03, 0.02))
    assert (skin.rows, skin.cols, skin.in_contact, skin.total_force[2]) == (2, 3, True, 4.0)
    assert skin.center_of_pressure.tolist() == pytest.approx([0.025, 0.01])
    assert skin.to_numpy()[1, 2] == 2.0
    assert skin.is_valid()
    assert not horus.TactileArray(2, 3, [1.0]).is_valid()
    with pytest.raises(ValueError, match=r"expected forces of shape \(rows, cols\), got \(4,\)"):
        horus.TactileArray.from_numpy(np.zeros(4))


def test_goals() -> None:
    """Both sets of keywords are the same fields; angles wrap."""
    goal = horus.NavGoal(
        position_tolerance=0.3, angle_tolerance=0.2, timeout=5.0, x=1.0, y=2.0, theta=math.pi
    )
    assert (goal.tolerance_position, goal.tolerance_angle, goal.timeout_seconds) == (0.3, 0.2, 5.0)
    assert goal.target == horus.Pose2D(1, 2, math.pi)
    plain = horus.NavGoal(horus.Pose2D(1, 2))
    assert (plain.position_tolerance, plain.angle_tolerance, plain.timeout, plain.priority) == (
        0.1,
        0.1,
        30.0,
        0,
    )
    assert goal.is_reached(horus.Pose2D(1.2, 2, -math.pi + 0.1))
    assert goal.is_position_reached(horus.Pose2D(1.2, 2))
    assert not goal.is_reached(horus.Pose2D(1.2, 2))
    assert not goal.is_position_reached(horus.Pose2D(1.4, 2))
    assert not horus.NavGoal(timeout=-1).is_valid()
    assert horus.GoalResult(status=horus.GoalStatus.TIMED_OUT).is_done()
    assert not horus.GoalResult(status=horus.GoalStatus.ACTIVE).is_done()
    assert not horus.GoalResult(progress=2).is_valid()


def test_paths() -> None:
    """Lengths, nearest waypoints, poses as arrays."""
    points = [horus.Waypoint(x=float(i), y=0.0, time_from_start=i * 0.5) for i in range(4)]
    path = horus.NavPath.from_waypoints(points, frame_id="map")
    assert (path.count, path.total_length, path.duration, path.frame_id) == (4, 3.0, 1.5, "map")
    assert path.nearest(horus.Pose2D(2.2, 1)) == 2
    assert horus.NavPath().nearest(horus.Pose2D()) is None
    assert path.is_valid()
    assert not horus.NavPath([horus.Waypoint(x=math.nan)]).is_valid()
    assert horus.NavPath([horus.Waypoint()] * 4096).count == 4096
    plan = horus.PathPlan.from_poses([(0, 0, 0), (1, 2, 0.5)])
    assert plan.count == 2
    assert plan.poses().tolist() == [[0, 0, 0], [1, 2, 0.5]]
    assert plan.goal_pose.tolist() == [1, 2, 0.5]
    assert horus.PathPlan(np.zeros((5, 3), np.float32)).count == 5
    assert not horus.PathPlan([1.0]).is_valid()
    obstacles = horus.VelocityObstacles([horus.VelocityObstacle([1, 2], [0, 1], 0.5, 2.0, 7)])
    assert obstacles.count == 1
    assert obstacles.is_valid()
    assert not horus.VelocityObstacle(radius=-1).is_valid()


def test_a_map_between_world_and_cells() -> None:
    """Also a turned one; outside is None or an error, never another cell."""
    grid = horus.OccupancyGrid.from_numpy(
        np.array([[0, 100, -1], [49, 50, 0]], np.int8), 0.5, horus.Pose2D(-1, 2)
    )
    assert (grid.width, grid.height) == (3, 2)
    assert grid.world_to_grid(-0.9, 2.6) == (0, 1)
    assert grid.world_to_grid(0.4, 2.0) == (2, 0)
    for outside in ((-1.01, 2.1), (0.5, 2.1), (0.0, 3.0), (0.0, 1.99), (math.nan, 2.0), (math.inf, 2.0)):
        assert grid.world_to_grid(*outside) is None
    assert grid.grid_to_world(2, 1) == (0.25, 2.75)
    assert [grid.is_free(*cell) for cell in ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1))] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert [grid.is_occupied(*cell) for cell in ((0, 0), (1, 0), (2, 0), (1, 1))] == [
        False,
        True,
        False,
        True,
    ]
    for wrong in ((3, 0), (0, 2), (-1, 0)):
        with pytest.raises(IndexError, match="expected a cell of 3 columns and 2 rows"):
            grid.is_free(*wrong)
    grid.origin.theta = math.pi / 2
    for cell in ((0, 0), (2, 1), (1, 0)):
        assert grid.world_to_grid(*grid.grid_to_world(*cell)) == cell
    assert grid.grid_to_world(2, 0) == (pytest.approx(-1.25), pytest.approx(3.25))
    assert grid.to_numpy().shape == (2, 3)
    assert grid.is_valid()
    empty = horus.OccupancyGrid(2, 2)
    assert (empty.resolution, empty.value(1, 1), empty.is_valid()) == (0.05, -1, True)
    assert not empty.is_free(0, 0)
    assert not horus.OccupancyGrid(2, 2, data=[0, 0, 0]).is_valid()
    assert not horus.OccupancyGrid(1, 1, data=[101]).is_valid()
    assert not horus.OccupancyGrid(resolution=0).is_valid()
    with pytest.raises(ValueError, match="expected cells of shape"):
        horus.OccupancyGrid.from_numpy(np.zeros(4, np.int8))


def test_costs() -> None:
    """253 and above is not passable, unless the map says otherwise."""
    grid = horus.OccupancyGrid(2, 1)
    costs = horus.CostMap(grid, [10, 253])
    assert (costs.inflation_radius, costs.cost(0, 0)) == (0.55, 10)
    assert (costs.is_lethal(0, 0), costs.is_lethal(1, 0)) == (False, True)
    costs.lethal_cost = 10
    assert costs.is_lethal(0, 0)
    assert costs.to_numpy().tolist() == [[10, 253]]
    assert costs.is_valid()
    assert horus.CostMap(grid).cost(1, 0) == 0
    assert not horus.CostMap(grid, [1]).is_valid()
    with pytest.raises(IndexError):
        costs.cost(2, 0)


def test_cameras() -> None:
    """Intrinsics by name, projections, depths."""
    camera = horus.CameraInfo(640, 480, fx=500.0, fy=501.0, cx=320.0, cy=240.0)
    assert camera.K.tolist() == [500, 0, 320, 0, 501, 240, 0, 0, 1]
    assert camera.R.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert camera.project(0.1, 0.2, 2.0) == pytest.approx((345.0, 290.1))
    assert camera.project(0.1, 0.2, 0.0) is None
    assert camera.is_calibrated()
    assert not horus.CameraInfo().is_calibrated()
    assert not horus.CameraInfo(fx=-1).is_valid()
    stereo = horus.StereoInfo(camera, camera, 0.1)
    assert stereo.depth_from_disparity(25.0) == 2.0
    assert stereo.depth_from_disparity(0.0) == math.inf
    stereo.depth_scale = 1000.0
    assert stereo.depth_from_disparity(25.0) == 2000.0
    assert not horus.StereoInfo(baseline=-1).is_valid()
    region = horus.RegionOfInterest(10, 20, 30)
    assert [region.contains(*at) for at in ((10, 20), (39, 900), (40, 20), (9, 20), (10, 19))] == [
        True, True, False, False, False,
    ]  # fmt: skip
    picture = horus.CompressedImage(data=b"\xff\xd8\xff", width=2, height=1)
    assert (picture.format, picture.to_bytes()) == ("jpeg", b"\xff\xd8\xff")
    assert not horus.CompressedImage("").is_valid()
    assert horus.PointField("x", 0, horus.PointType.FLOAT32, 1).is_valid()
    assert not horus.PointField("x", 0, 9).is_valid()


def test_boxes() -> None:
    """Overlaps of boxes, from none to all."""
    box = horus.BoundingBox2D(0, 0, 10, 10)
    assert box.iou(horus.BoundingBox2D(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert box.iou(box) == 1.0
    assert box.iou(horus.BoundingBox2D(20, 20, 5, 5)) == 0.0
    assert box.iou(horus.BoundingBox2D(10, 10, 5, 5)) == 0.0
    assert horus.BoundingBox2D().iou(horus.BoundingBox2D()) == 0.0
    assert horus.BoundingBox2D.from_center(5, 5, 10, 10) == box
    assert (box.center(), box.area()) == ((5, 5), 100)
    assert not horus.BoundingBox2D(width=-1).is_valid()
    solid = horus.BoundingBox3D(cx=1, cy=2, cz=3, length=2, width=3, height=4, yaw=0.5)
    assert (solid.center, solid.volume()) == (horus.Point3(1, 2, 3), 24.0)
    assert not horus.BoundingBox3D(length=-1).is_valid()


def test_detections_and_tracks() -> None:
    """Confidences from 0 to 1, and which tracks are things."""
    found = horus.Detection(horus.BoundingBox2D(1, 2, 3, 4), 0.9, 1, "mug")
    assert found.is_confident(0.5)
    assert not found.is_confident(0.95)
    assert found.is_valid()
    assert not horus.Detection(confidence=1.1).is_valid()
    assert horus.Detection3D(velocity_x=3, velocity_y=4).speed() == 5.0
    assert not horus.Detection3D(velocity_z=math.inf).is_valid()
    assert horus.TrackedObject(state=horus.TrackState.CONFIRMED).is_confirmed()
    assert not horus.TrackedObject().is_confirmed()
    assert not horus.TrackedObject(state=3).is_valid()
    assert not horus.SegmentationMask(mask_type=3).is_valid()


def test_landmarks_and_planes() -> None:
    """Presets by the models' numbers; distances from a plane."""
    kinds = horus.LandmarkArray
    presets = (kinds.coco_pose(), kinds.mediapipe_pose(), kinds.mediapipe_hand(), kinds.mediapipe_face())
    assert [(one.num_landmarks, one.dimension) for one in presets] == [(17, 2), (33, 3), (21, 3), (468, 3)]
    assert all(one.is_valid() for one in presets)
    assert not kinds(17, 4).is_valid()
    assert horus.Landmark(1, 2, 0.6).is_visible()
    assert not horus.Landmark3D(1, 2, 3, 0.4).is_visible()
    assert not horus.Landmark(visibility=2).is_valid()
    floor = horus.PlaneDetection([0, 0, 2, -2], normal=horus.Vector3(0, 0, 1), type="floor")
    assert floor.distance_to(horus.Point3(5, 5, 4)) == 3.0
    assert math.isnan(horus.PlaneDetection().distance_to(horus.Point3()))
    assert floor.is_valid()
    assert not horus.PlaneDetection(normal=horus.Vector3(0, 0, 2)).is_valid()
    assert horus.PlaneArray([floor, floor]).count == 2
    assert not horus.PlaneArray([horus.PlaneDetection(confidence=3)]).is_valid()


def test_people_at_the_controls() -> None:
    """Joysticks and keyboards count milliseconds."""
    assert horus.JoystickInput(0, "axis", 1, "left x", -0.5, timestamp_ms=12).is_valid()
    assert not horus.JoystickInput(event_type="lever").is_valid()
    assert not horus.JoystickInput(value=1.5).is_valid()
    key = horus.KeyboardInput(
        "a", 30, horus.KeyModifier.CTRL | horus.KeyModifier.SHIFT, True, timestamp_ms=12
    )
    assert key.has_modifier(horus.KeyModifier.CTRL)
    assert key.has_modifier(horus.KeyModifier.CTRL | horus.KeyModifier.SHIFT)
    assert not key.has_modifier(horus.KeyModifier.META | horus.KeyModifier.CTRL)
    assert key.is_valid()
    assert not horus.KeyboardInput(modifier_flags=64).is_valid()


def test_sound() -> None:
    """Channels in turn, durations, and no more than fits."""
    frame = horus.AudioFrame.mono([0.1] * 1600)
    assert (frame.num_samples, frame.sample_rate, frame.channels, frame.duration()) == (1600, 16000, 1, 0.1)
    pair = horus.AudioFrame.stereo(np.array([[0.1, -0.1], [0.2, -0.2]], np.float32), 48000)
    assert pair.num_samples == 4
    assert pair.by_channel()[:, 1].tolist() == pytest.approx([-0.1, -0.2])
    assert horus.AudioFrame.multi_channel([0.0] * 12, 6).by_channel().shape == (2, 6)
    assert pair.is_valid()
    assert not horus.AudioFrame(sample_rate=0).is_valid()
    assert not horus.AudioFrame([0.0] * 3, channels=2).is_valid()
    with pytest.raises(ValueError, match="expected a multiple of 2 samples, one for each channel, got 3"):
        horus.AudioFrame.stereo([0.0] * 3)
    with pytest.raises(ValueError, match=r"AudioFrame\.samples: expected at most 4800 elements, got 4801"):
        horus.AudioFrame.mono([0.0] * 4801)
